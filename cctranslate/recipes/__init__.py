"""Experiments as data: what a recipe is, and the ones there are."""
