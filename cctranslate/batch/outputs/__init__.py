"""Name, encode and write results, in each layout.

`layout.py` names results, `encoding.py` makes their bytes. A layout has a packer, which runs in
workers, and a writer, which adds packed results in order: `writers.py` has both protocols.
`earlier/` handles the results of earlier calls.
"""
