"""A photograph beside its results, for the README.

    cctranslate batch datasets/photos --to angry,surprise -o out
    python tests/bench/beside.py weights/photos.jpg datasets/photos/collins.jpg \\
        out/angry/collins.png out/surprise/collins.png
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HEIGHT, MARGIN = 420, 24


def main() -> None:
    """Write the picture named first, of the others side by side, named by their folders."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    place, *names = map(Path, sys.argv[1:])
    pictures = []
    for name in names:
        with Image.open(name) as file:
            width = round(file.width * HEIGHT / file.height)
            pictures.append(file.convert("RGB").resize((width, HEIGHT)))
    joined = Image.new("RGB", (sum(p.width for p in pictures), HEIGHT + MARGIN), "white")
    pen, left = ImageDraw.Draw(joined), 0
    for name, picture in zip(names, pictures, strict=True):
        joined.paste(picture, (left, MARGIN))
        title = "before" if name == names[0] else f"{name.parent.name} (AI-generated expression)"
        pen.text((left + 4, 4), title, "black", ImageFont.load_default(14))
        left += picture.width
    joined.save(place, quality=88)


if __name__ == "__main__":
    main()
