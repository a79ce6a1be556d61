"""The HTML page and the contact sheet."""
