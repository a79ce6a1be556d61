"""Experiments as data: the kinds of recipes, and all recipes (`registry.py` lists them)."""
