"""Pairs for a student: drawn by a teacher, selected and stored, and batches of them."""
