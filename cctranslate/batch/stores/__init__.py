"""Inputs and outputs in object stores and on web servers."""
