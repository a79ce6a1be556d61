"""The report's columns, counts, journal and file formats."""
