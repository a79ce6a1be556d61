"""Find inputs, read them and decode their faces.

`iter_items.py` begins with the options. `sources.py` turns each named input into items, which
`items.py` defines. `decoding.py` turns an item into a decoded picture with its faces. `opening.py`
opens pictures with Pillow. `archives.py` and `fer_csv.py` read files that hold many items.
"""
