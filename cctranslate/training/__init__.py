"""`cctranslate fit`, `export` and `evaluate`: train on FER2013 and export a bundle, with torch.

`fit.py` plans the runs of a recipe. `loop.py` trains one of them with the recipe's trainer, which
`trainers/registry.py` makes, and `run_folder.py` and `checkpoint.py` store it. `export.py` makes a
bundle of a run, and `evaluate.py` measures a bundle.
"""
