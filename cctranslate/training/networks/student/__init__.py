"""The discriminators of a student."""
