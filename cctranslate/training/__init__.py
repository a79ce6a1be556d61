"""The half that needs torch: from FER2013 to an exported bundle."""
