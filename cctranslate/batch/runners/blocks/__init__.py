"""Runs in blocks: a plan, workers that may be anywhere, and rows that are joined."""
