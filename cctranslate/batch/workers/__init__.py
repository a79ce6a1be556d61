"""Threads and processes that do the work of stages."""
