"""Figures that `evaluate` prints."""
