"""Translate a run's inputs on this machine, or on a Ray cluster."""
