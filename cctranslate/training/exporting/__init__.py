"""What `export.py` makes a bundle of: graphs, ONNX files, float16, and the folder."""
