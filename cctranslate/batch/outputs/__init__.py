"""Write results in each layout."""
