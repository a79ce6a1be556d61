"""Whatever bytes come in, what comes out is a result or a refusal of one line.

CCTRANSLATE_FUZZ=long tries many more inputs, and other ones every time.
"""
