"""Where a run's inputs are translated: in this process, or on a Ray cluster."""
