"""Run an exported bundle: sessions, conditioning rows, attenuation."""
