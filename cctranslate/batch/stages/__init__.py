"""The steps from an input to its written results, in chunks: `pipeline.py` joins them."""
