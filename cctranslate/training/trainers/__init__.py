"""One trainer for each kind of recipe, and what they share."""
