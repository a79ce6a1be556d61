"""Large PNGs hold what small ones do."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import get_sampling

from cctranslate.batch.outputs.encoding import LARGE, Result, encode, xmp
from cctranslate.faces import raster
from cctranslate.faces.color_space import ColorSpace
from tests.support import pictures

SPACE = ColorSpace(gamma=0.5, primaries=(0.31, 0.33, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06))


def large(mode: str) -> Image.Image:
    """A portrait of more than a megapixel, of odd sides."""
    portrait = pictures.portrait(pictures.HOPPER, 1003)
    gray = portrait.convert("L")
    if mode == "I;16":
        return Image.fromarray(np.asarray(gray).astype(np.uint16) * 251)
    picture = portrait if mode.startswith("RGB") else gray
    if mode.endswith("A"):
        picture.putalpha(gray.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    return picture


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_a_large_png_holds_the_picture_and_what_goes_with_it(mode: str) -> None:
    picture, exif = large(mode), Image.Exif()
    exif[0x010F] = "a maker named IDAT"
    assert picture.width * picture.height > LARGE
    result = Result(picture=picture, color_space=SPACE, exif=exif.tobytes())
    content = encode(result, "png", xmp("happy"))
    with Image.open(io.BytesIO(content)) as checked:
        checked.verify()
    with Image.open(io.BytesIO(content)) as read:
        np.testing.assert_array_equal(np.asarray(read), np.asarray(picture))
        assert read.getexif()[0x010F] == exif[0x010F]
        assert read.info["gamma"] == SPACE.gamma
        assert read.info["chromaticity"] == pytest.approx(SPACE.primaries)
        assert read.info["XML:com.adobe.xmp"] == xmp("happy")
    by_another = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert by_another is not None
    assert by_another.shape[:2] == (picture.height, picture.width)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_large_png_takes_hardly_more_bytes_than_at_pillows_lowest_level(mode: str) -> None:
    picture, lowest = large(mode), io.BytesIO()
    picture.save(lowest, "png", compress_level=1)
    assert len(encode(Result(picture=picture), "png", None)) < 1.1 * len(lowest.getvalue())


def test_a_large_png_keeps_an_icc_profile() -> None:
    profile = b"\0" * 16 + b"RGB " + bytes(108)
    content = encode(Result(picture=large("RGB"), color_space=ColorSpace(icc=profile)), "png", None)
    with Image.open(io.BytesIO(content)) as read:
        assert read.info["icc_profile"] == profile


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_profile_that_is_too_large_for_a_png_is_honored(mode: str) -> None:
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(wide)  # red's primary for blue's
    swapped[wide.index(b"rXYZ") : wide.index(b"rXYZ") + 4] = b"bXYZ"
    at = wide.index(b"bXYZ")
    swapped[at : at + 4] = b"rXYZ"
    picture = Image.new(mode, (48, 48), (250, 10, 10) if mode == "RGB" else (250, 10, 10, 77))
    profile = bytes(swapped) + bytes(1 << 20)
    result = Result(picture=picture, color_space=ColorSpace(icc=profile))
    with Image.open(io.BytesIO(encode(result, "png", xmp("sad")))) as read:
        red, green, blue, *alpha = np.asarray(read)[0, 0]
        assert "icc_profile" not in read.info
    assert (red < 40, green < 40, blue > 230) == (True, True, True)
    assert alpha == ([77] if mode == "RGBA" else [])
    with Image.open(io.BytesIO(encode(result, "webp", None))) as read:
        assert read.info["icc_profile"] == profile


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_a_jpeg_of_a_jpeg_has_color_as_fine_as_that(sampling: str) -> None:
    file = io.BytesIO()
    pictures.portrait(pictures.HOPPER).save(file, "jpeg", quality=90, subsampling=sampling)
    with Image.open(file) as source:
        canvas, expected = raster.read(source), get_sampling(source)
    result = Result(picture=canvas.picture(), halved_color=canvas.halved_color)
    content = encode(result, "jpeg", None)
    with Image.open(io.BytesIO(content)) as read:
        assert get_sampling(read) == expected
        gap = np.abs(np.asarray(read).astype(int) - np.asarray(canvas.image))
    assert gap.mean() < 1
