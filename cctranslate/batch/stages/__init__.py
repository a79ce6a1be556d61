"""The steps between a decoded picture and its written results."""
