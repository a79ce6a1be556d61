"""The report: its rows and columns, counts, file formats, and resuming from it.

`row.py`, `schema.py` and `cell_types.py` define a row. `formats.py` reads and writes reports.
`journal.py` writes one during a run. `resume.py` decides what a call has left to do.
"""
