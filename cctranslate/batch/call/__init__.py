"""What a call of `batch` names: its options, and what is chosen by them.

`iter_items.py` yields its inputs, `open_writer.py` and `open_earlier.py` choose by its layout, and
`summary.py` has the lines that it prints at its end.
"""
