"""Name, encode and write results, in each layout."""
