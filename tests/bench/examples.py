"""Draw typical good and bad results of a run, labeled so, for the README.

    cctranslate batch datasets/photos datasets/portraits --to all -o out
    python tests/bench/examples.py out weights/examples.png \\
        --good collins:neutral born:surprise --bad collins:surprise barkla:happy

Which are typical is chosen by eye: name each as SOURCE:TARGET.
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cctranslate.batch.gallery.thumbnails import crop_face
from cctranslate.batch.report.formats import read_faces
from cctranslate.batch.report.row import Row

SIDE, GAP, TEXT = 120, 12, 18


def main() -> None:
    """Write a picture with a row of good and a row of bad results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--good", nargs="+", required=True)
    parser.add_argument("--bad", nargs="+", required=True)
    options = parser.parse_args()
    faces = read_faces(options.out / "report.csv")
    rows = {f"{Path(row.source).stem}:{row.target}": row for face in faces for row in face}
    strips = [
        strip(options.out, f"Typical {kind} results", [rows[name] for name in names])
        for kind, names in (("good", options.good), ("bad", options.bad))
    ]
    sheet = Image.new("RGB", (max(s.width for s in strips), sum(s.height for s in strips)), "white")
    top = 0
    for each in strips:
        sheet.paste(each, (0, top))
        top += each.height
    sheet.save(options.picture, optimize=True)


def strip(out: Path, title: str, rows: list[Row]) -> Image.Image:
    """Draw each source beside its result, with the target and the judge's reading below."""
    font = ImageFont.load_default(13)
    picture = Image.new("RGB", (len(rows) * (2 * SIDE + GAP), SIDE + 4 * TEXT), "white")
    pen = ImageDraw.Draw(picture)
    pen.text(
        (2, 2), f"{title}: source, AI-generated expression", "black", ImageFont.load_default(14)
    )
    for number, row in enumerate(rows):
        left = number * (2 * SIDE + GAP)
        for k, path in enumerate((Path(row.source), out / (row.output or ""))):
            with Image.open(path) as file:
                face = crop_face(file.convert("RGB"), row).resize(
                    (SIDE, SIDE), Image.Resampling.LANCZOS
                )
            picture.paste(face, (left + k * SIDE, TEXT + 4))
        word = "confirmed" if row.confirmed else "not confirmed"
        pen.text((left + 2, SIDE + TEXT + 6), f"to {row.target}: {word}", "black", font)
        read = f"judge: {row.predicted} {row.confidence:.0%}"
        pen.text((left + 2, SIDE + 2 * TEXT + 4), read, "#555", font)
    return picture


if __name__ == "__main__":
    main()
