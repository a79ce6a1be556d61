"""Files below folders, and files that match patterns."""
