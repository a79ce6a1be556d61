"""One module for each command; a body imports its half, so that `--help` needs click alone."""
