"""Bundles: ONNX files of models, and a JSON card with their digests and figures."""

import atexit
import hashlib
import json
import os
import reprlib
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeGuard

from cctranslate.emotions import EMOTIONS
from cctranslate.errors import BundleError
from cctranslate.files import remote
from cctranslate.files.remote import is_remote
from cctranslate.files.writing import write_text
from cctranslate.pixels import SIZE

CARD = "bundle.json"
FORMAT = 2
READABLE = (1, FORMAT)
"""Formats that can be read. In format 1 the label rows were multiplied by the strength."""
MODELS = ("generator", "judge")
WITNESS = "witness"
"""A second classifier, only for `evaluate`, that a bundle may hold."""
FACE_PRESENCE = "face_presence"
"""A network that says whether a picture shows a face, which a bundle may hold."""
OPTIONAL = (WITNESS, FACE_PRESENCE)


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle whose files match their card.

    Its models, with inputs and outputs in float32:

    - generator: `faces` [N,1,48,48] in [-1,1], `labels` [K,7] with rows that sum to one, and
      `strength` [K], to `translated` [N,K,1,48,48].
    - judge, witness: `faces` to `probabilities` [N,7] and `features` [N,C].
    - face_presence: `faces` to `logits` [N], below 0 for pictures without a face, and in newer
      bundles `hard` [N], 0 or more for faces that are hard to change.
    """

    folder: Path
    card: dict[str, Any]

    @property
    def generator(self) -> Path:
        """The file of the generator."""
        return self.file("generator")

    @property
    def judge(self) -> Path:
        """The file of the judge."""
        return self.file("judge")

    def holds(self, model: str) -> bool:
        """Return whether the bundle has a model. Every bundle has those of `MODELS`."""
        return model in self.card["files"]

    def file(self, model: str) -> Path:
        """Return the file of a model.

        Raises:
            BundleError: The bundle has no such model.
        """
        if not self.holds(model):
            raise BundleError(f"{self.folder}: a bundle without a {model}")
        return self.folder / str(self.card["files"][model]["name"])

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of each model that results depend on, by the model's name."""
        models = (*MODELS, *([FACE_PRESENCE] if self.holds(FACE_PRESENCE) else []))
        return {model: self.card["files"][model]["sha256"] for model in models}


def shipped() -> Path:
    """Return the folder of the bundle that comes with the package, in a wheel or a checkout."""
    packaged = Path(str(resources.files("cctranslate"))) / "weights"
    beside = Path(__file__).parent.parent / "weights" / "bundle"
    return packaged if (packaged / CARD).is_file() else beside


def identifier(folder: Path) -> str:
    """Return a bundle's short name: the start of its card's SHA-256, which covers every file.

    Raises:
        BundleError: There is no card.
    """
    try:
        return sha256(folder / CARD)[:12]
    except OSError as error:
        raise BundleError(f"{folder / CARD}: cannot be read: {error.strerror}") from None


def standalone_model(card: str) -> tuple[Path, str]:
    """Return a model that ships beside the bundle and has its own card, and its SHA-256.

    Raises:
        BundleError: It is missing or altered.
    """
    path = shipped() / card
    try:
        card_content = json.loads(path.read_text(encoding="utf-8"))
        path = path.parent / card_content["name"]
        digest = sha256(path)
        whole = digest == card_content["sha256"]
    except (OSError, ValueError, LookupError, TypeError):
        whole = False
    if not whole:
        raise BundleError(f"{path}: missing or altered: install cctranslate again")
    return path, digest


def load(folder: Path) -> Bundle:
    """Read and check a bundle.

    Raises:
        BundleError: No card, another format or other classes, a file missing or altered.
    """
    if is_remote(folder):
        folder = _downloaded(folder)
    card = _read_card(folder / CARD)
    if card.get("format") not in READABLE:
        card_format = reprlib.repr(card.get("format"))
        readable = " and ".join(map(str, READABLE))
        raise BundleError(
            f"{folder / CARD}: bundle format {card_format}, this version reads {readable}: "
            "export it again with this version"
        )
    if card.get("classes") != list(EMOTIONS) or card.get("image_size") != SIZE:
        raise BundleError(f"{folder / CARD}: other classes or image size than {SIZE}-pixel FER2013")
    files = card.get("files")
    files = files if isinstance(files, dict) else {}
    for model in (*MODELS, *(name for name in OPTIONAL if name in files)):
        _check_file(folder, model, files.get(model))
    return Bundle(folder=folder, card=card)


def _downloaded(folder: Path) -> Path:
    """Return a local copy of a bundle in a store. It is removed when the process ends.

    Raises:
        BundleError: It cannot be read.
    """
    copy = Path(mkdtemp(prefix="cctranslate-bundle-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    try:
        (copy / CARD).write_bytes(remote.read(folder / CARD))
        files = _read_card(copy / CARD).get("files")
        for entry in files.values() if isinstance(files, dict) else ():
            name = entry.get("name") if isinstance(entry, dict) else None
            if _is_name(name):  # any other is refused when the card is checked
                (copy / name).write_bytes(remote.read(folder / name))
    except FileNotFoundError:
        raise BundleError(
            f"{folder / CARD}: not found: name a folder that `cctranslate export` wrote"
        ) from None
    except OSError as error:
        raise BundleError(f"{folder}: cannot be read: {error.strerror or error}") from None
    return copy


def _is_name(name: object) -> TypeGuard[str]:
    """Return whether a name in a card is that of a file in the same folder."""
    return isinstance(name, str) and name.isprintable() and Path(name).name == name


def write_card(folder: Path, **facts: Any) -> Path:
    """Write the card for the model files that lie in `folder`, with `facts` about them."""
    paths = {model: folder / f"{model}.onnx" for model in (*MODELS, *OPTIONAL)}
    files = {m: entry(path) for m, path in paths.items() if m in MODELS or path.exists()}
    card = {
        "format": FORMAT,
        "classes": list(EMOTIONS),
        "image_size": SIZE,
        "files": files,
        **facts,
    }
    path = folder / CARD
    write_text(path, json.dumps(card, indent=2) + "\n")
    return path


def sha256(path: Path) -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entry(path: Path) -> dict[str, Any]:
    """Return a card's entry for a file: its name, digest and size in bytes."""
    return {"name": path.name, "sha256": sha256(path), "bytes": path.stat().st_size}


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{path}: not found: name a folder that `cctranslate export` wrote"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{path}: cannot be read: {error}") from None
    if not isinstance(card, dict):
        raise BundleError(f"{path}: not a bundle card")
    return card


def _check_file(folder: Path, model: str, entry: Any) -> None:
    if not isinstance(entry, dict) or not {"name", "sha256"} <= entry.keys():
        raise BundleError(f"{folder / CARD}: no entry for the {model}")
    name = entry["name"]
    if not _is_name(name):
        raise BundleError(
            f"{folder / CARD}: {model} file {reprlib.repr(name)} lies outside the bundle"
        )
    path = folder / name
    # Path.is_file raises on a name that no file could have.
    if not os.path.isfile(path):  # noqa: PTH113
        raise BundleError(f"{path}: missing: export the bundle again or copy it whole")
    try:
        digest = sha256(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from None
    if digest != entry["sha256"]:
        raise BundleError(f"{path}: altered since export (SHA-256 differs from its card)")
