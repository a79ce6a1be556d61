"""Read faces from folders named by split and emotion, as in FER2013's copies on Kaggle."""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from PIL import Image, UnidentifiedImageError

from cctranslate.emotions import EMOTIONS, parse_emotion
from cctranslate.errors import DataError
from cctranslate.fer2013 import PICTURE_OF_ROW, USAGES, usage_by_name, usage_of_folder
from cctranslate.pictures import to_gray, upright

Echo = Callable[[str], object]
"""Takes a line for the user."""
Row = tuple[str, int, int, bytes]
"""Usage, label, row number, pixels."""
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm")
_LAID_OUT = "faces are read from train/, validation/ and test/, each with a folder for each emotion"
_NAMELESS = 1_000_000
"""First row number of pictures without one in their names: larger than those of the votes."""


def picture_rows(
    names: Mapping[str, str], opened: Callable[[str], io.BufferedReader], source: str, echo: Echo
) -> Iterator[Row]:
    """Yield faces in paths such as `.../train/<emotion>/name`, in the paths' order.

    A name such as `PublicTest_0028709.png` overrides the usage of the folder, so that no test row
    is trained on; `Training_0000007.png` does not.
    """
    usages = _usages(names)
    left_out: Counter[str] = Counter()
    for count, path in enumerate(names):
        parts = PurePosixPath(path).parts
        if len(parts) < 3 or parts[-3].lower() not in usages:
            if PurePosixPath(path).suffix.lower() in _PICTURES:
                left_out[str(PurePosixPath(path).parent)] += 1
            continue
        try:
            label = EMOTIONS.index(parse_emotion(parts[-2]))
            with opened(names[path]) as stream, Image.open(stream) as picture:
                face = to_gray(upright(picture))
        except UnidentifiedImageError:
            raise DataError(f"{source}: {path}: not a picture: remove it") from None
        except (ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"{source}: {path}: {error}: mend or remove it") from None
        named = PICTURE_OF_ROW.search(parts[-1])
        by_folder = usages[parts[-3].lower()]
        number = int(named[2]) if named else _NAMELESS + count
        yield usage_by_name(parts[-1], by_folder), label, number, face.tobytes()
    for folder, count in left_out.items():
        echo(f"{source}: {count} pictures in {folder}/ left out: {_LAID_OUT}")


def _usages(paths: Iterable[str]) -> dict[str, str]:
    """Return usages by the names of split folders, in lower case.

    They are those that `batch` gives results, with one exception: where no folder is for
    validation, as in the dataset's copies on Kaggle, a test folder is PublicTest. `fit` measures on
    PublicTest alone, and would have nothing to measure on.
    """
    folders = {part.lower() for path in paths for part in PurePosixPath(path).parts[-3:-2]}
    usages = {name: usage for name in folders if (usage := usage_of_folder(name))}
    if USAGES[1] not in usages.values():
        usages |= dict.fromkeys(usages.keys() & {"test", "testing"}, USAGES[1])
    return usages
