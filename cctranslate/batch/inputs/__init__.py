"""Find inputs, read them and decode their faces.

`sources.py` turns each named input into items (`batch/items.py`). `archives.py`, `fer_csv.py` and
`remote_files.py` do so for archives, datasets and stores. `exclusions.py` leaves out files that are
no inputs. `decoding.py` turns an item into a decoded picture with its faces (`decoded.py`), which
`opening.py` opens with Pillow.
"""
