"""The steps from an input to its written results, in chunks: `pipeline.py` joins them.

`chunks.py` has what travels between them. `worker_tasks.py` runs in workers, before and after the
models; `translate.py` runs the models; `selection.py` decides what is written; `render.py` and
`report_rows.py` make pictures and rows. `setup.py` makes all of them from the options.
"""
