"""Redrawing the mouths of results: where they are, and the network that draws them anew."""
