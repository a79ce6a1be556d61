"""The bundle that ships is whole, and does on the samples what the README promises."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cctranslate import Translator, __version__, bundle
from cctranslate.cli import cli
from cctranslate.emotions import EMOTIONS
from cctranslate.inference.models import TranslationModels
from cctranslate.pictures import to_gray
from tests.support.pictures import draw_face, people

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "datasets" / "samples").iterdir())


def test_the_card_vouches_for_the_files_and_says_how_they_were_made() -> None:
    card = bundle.load(bundle.shipped()).card
    assert card["recipe"]["name"] == "mouth-student"
    assert card["judge"]["recipe"]["name"] == "judge"
    assert len(card["data"]["fingerprint"]) == 64
    assert set(card["measured"]["targets"]) == set(EMOTIONS)


def test_the_version_names_the_bundle() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.output == f"cctranslate {__version__}, bundle {card_digest()[:12]}\n"


def test_the_version_without_a_bundle_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bundle, "shipped", lambda: tmp_path)
    result = CliRunner().invoke(cli, ["--version"])
    assert result.exit_code == 4
    assert "bundle.json: cannot be read: No such file" in result.output


def card_digest() -> str:
    return hashlib.sha256((bundle.shipped() / "bundle.json").read_bytes()).hexdigest()


def test_the_bundle_is_small() -> None:
    files = bundle.load(bundle.shipped()).card["files"]
    assert files["generator"]["bytes"] <= 8_000_000
    assert files["judge"]["bytes"] <= 3_000_000


def test_the_first_command_of_the_readme_works(tmp_path: Path) -> None:
    out = tmp_path / "translated"
    words = ["batch", str(ROOT / "datasets" / "samples"), "--to", "happy", "-o", str(out)]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert len(list((out / "happy").iterdir())) == len(SAMPLES) == 6


def test_most_results_of_the_samples_are_confirmed() -> None:
    pictures = []
    for path in SAMPLES:
        with Image.open(path) as picture:
            picture.load()
            pictures.append(picture)
    results = list(Translator().translate_many(pictures, EMOTIONS))
    confirmed = [result.confirmed for each in results for result in each]
    assert sum(confirmed) / len(confirmed) >= 0.8


def test_pictures_without_a_face_are_told_from_faces() -> None:
    """Black, white, a slope and noise are none; the samples, drawn faces and portraits are."""
    noise = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    flat = [np.full((48, 48), level, np.uint8) for level in (0, 128, 255)]
    slope = np.broadcast_to(np.arange(48, dtype=np.uint8) * 5, (48, 48))
    models = TranslationModels(bundle.load(bundle.shipped()), device="cpu")
    assert not models.classify_presence(np.stack([*flat, slope, *noise]))[0].any()
    drawn = [draw_face(k, k) for k in range(7)]
    samples = [to_gray(Image.open(path)) for path in SAMPLES]
    assert models.classify_presence(np.stack([*drawn, *samples, *people()]))[0].all()
