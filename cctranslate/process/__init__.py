"""The process that runs a command: its standard streams, and the signals that end it."""
