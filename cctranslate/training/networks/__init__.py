"""Every network that is trained or loaded."""
