"""The types of the report's cells: how their values are written as text and as JSON, and read."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from cctranslate.batch.report.row import STATUSES, Box, Disposition
from cctranslate.emotions import EMOTIONS
from cctranslate.inference.variants import spell_strength


@dataclass(frozen=True, kw_only=True)
class CellType:
    """How values of a column are written and read; `from_text` raises ValueError or KeyError."""

    arrow: Literal["string", "int32", "int64", "double", "bool"]
    to_text: Callable[[Any], str] = str
    from_text: Callable[[str], Any] = str
    to_json: Callable[[Any], Any] = lambda value: value


_REAL = re.compile(r"\d{1,9}(?:\.\d+)?(?:e-\d+)?|nan", re.ASCII)


def _integer(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 1 << 63):
        raise ValueError(f"{text!r} is no count")
    return int(text)


def _small_integer(text: str) -> int:
    if len(text) > 9:
        raise ValueError(f"{text!r} is too large")
    return _integer(text)


def _real(text: str) -> float:
    if not _REAL.fullmatch(text):
        raise ValueError(f"{text!r} is no amount")
    return float(text)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _box(text: str) -> Box:
    left, top, width, height = map(_small_integer, text.split(" "))
    return left, top, width, height


def _box_text(box: Box) -> str:
    return " ".join(map(str, box))


def _value(word: Enum) -> Any:
    return word.value


def _finite(number: float) -> float | None:
    """Return the number as JSON can hold it."""
    return number if math.isfinite(number) else None


def _one_of(words: Iterable[str]) -> Callable[[str], str]:
    allowed = {word: word for word in words}
    return allowed.__getitem__


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


def _name_text(name: str) -> str:
    r"""Return a name as UTF-8 can hold it: other bytes as `\xe9`, such text itself as `\x5cxe9`.

    A first character that makes a spreadsheet take it for a formula becomes `\x3d` and so on.
    """
    if name.isascii() and "\\x" not in name and not name.startswith(_FORMULA):
        return name
    escaped = _in_utf8(name)
    return f"\\x{ord(name[0]):02x}{escaped[1:]}" if name.startswith(_FORMULA) else escaped


def _in_utf8(name: str) -> str:
    return readable(_ESCAPE.sub(r"\\x5cx\1", name))


def _byte(match: re.Match[str]) -> str:
    return bytes.fromhex(match[1]).decode("utf-8", "surrogateescape")


def name_from_text(text: str) -> str:
    """Return the name that `_name_text` wrote."""
    if "\\x" not in text:
        return text
    return _ESCAPE.sub(_byte, text)


def readable(text: str) -> str:
    """Return a name that can be printed: bytes that are not UTF-8 become `\\xe9`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


TEXT = CellType(arrow="string")
NAME = CellType(arrow="string", to_text=_name_text, from_text=name_from_text, to_json=_in_utf8)
EMOTION = CellType(arrow="string", from_text=_one_of(EMOTIONS))
STATUS = CellType(arrow="string", from_text=_one_of(STATUSES))
DISPOSITION = CellType(arrow="string", to_text=_value, from_text=Disposition, to_json=_value)
DIGEST = CellType(arrow="string", from_text=lambda text: bytes.fromhex(text).hex())
INTEGER = CellType(arrow="int32", from_text=_small_integer)
LARGE_INTEGER = CellType(arrow="int64", from_text=_integer)
TIME = CellType(  # negative before 1970
    arrow="int64", from_text=lambda t: -_integer(t[1:]) if t[0] == "-" else _integer(t)
)
REAL = CellType(arrow="double", from_text=_real, to_json=_finite)
STRENGTH = CellType(arrow="double", to_text=spell_strength, from_text=_real)
BOOLEAN = CellType(arrow="bool", to_text=lambda v: "true" if v else "false", from_text=_boolean)
BOX = CellType(arrow="string", to_text=_box_text, from_text=_box, to_json=_box_text)
