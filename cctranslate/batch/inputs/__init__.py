"""Find, read and decode what is to be translated."""
