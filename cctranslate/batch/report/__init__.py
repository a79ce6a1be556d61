"""The report: its rows and columns, counts, file formats, and resuming from it."""
