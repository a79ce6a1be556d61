"""A trainer for each kind of recipe (`registry.py`), and what trainers share."""
