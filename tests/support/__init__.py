"""What the tests share: child processes, reports read back, drawn faces, a tiny bundle."""
