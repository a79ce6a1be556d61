"""`python -m cctranslate` is the same as `cctranslate`."""

from cctranslate.cli import main

if __name__ == "__main__":
    main()
