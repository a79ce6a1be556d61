"""Run an exported bundle: for `batch`, `evaluate`, `export`, `doctor` and the Python API alike."""
