"""The experiments of the original CCycleGAN: its log, and what its code did otherwise."""
