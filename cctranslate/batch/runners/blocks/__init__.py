"""Run in blocks: write a plan, translate its blocks on any machine, and join their rows.

`block_runner.py` leads: `planning.py` divides the inputs, `block_translator.py` translates a block
in a worker, `joining.py` joins the rows. `work_folder.py` has the files that they share.
"""
