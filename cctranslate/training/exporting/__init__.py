"""What `export.py` makes a bundle of: its graphs, float16, and the folder that is replaced."""
