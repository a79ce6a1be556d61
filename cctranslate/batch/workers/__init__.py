"""Threads and processes that run the tasks of stages."""
