"""Pairs for a student: what a teacher draws, filtered and stored."""
