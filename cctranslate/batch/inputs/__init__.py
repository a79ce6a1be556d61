"""Find inputs, read them and decode their faces."""
