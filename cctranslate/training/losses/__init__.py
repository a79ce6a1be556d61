"""Loss terms of generators, discriminators and students."""
