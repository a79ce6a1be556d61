"""All networks that are trained or loaded."""
