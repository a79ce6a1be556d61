"""`python -m cctranslate` is the same as `cctranslate`."""

if __name__ == "__main__":
    from cctranslate.cli import main

    main()
