"""Figures that `evaluate` prints, and pictures that it draws."""
