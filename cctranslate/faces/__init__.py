"""Find faces, crop them, and put translated faces back into their pictures."""
