"""Results of earlier calls: which still exist, and which are removed because newer ones exist."""
