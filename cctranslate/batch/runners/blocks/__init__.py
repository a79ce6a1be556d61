"""Run in blocks: write a plan, translate its blocks on any machine, and join their rows."""
