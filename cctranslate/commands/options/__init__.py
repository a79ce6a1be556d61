"""Options of the commands. Everything here loads with `--help`, so it imports click only."""
