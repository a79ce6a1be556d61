"""A face as the models take it, and where in its picture it is from."""

from dataclasses import dataclass

from cctranslate.faces import raster
from cctranslate.faces.alignment import FaceTransform, align, crop, side, whole
from cctranslate.faces.detector import Detection, FaceDetector
from cctranslate.pixels import Gray

SMALLEST = 32
"""Pixels that a face's frame must be wide: of a smaller one the models see next to nothing."""


@dataclass(frozen=True, kw_only=True)
class Face:
    """A face [48,48] uint8 as the models take it, and where in its picture it is from."""

    levels: Gray
    frame: FaceTransform
    box: tuple[int, int, int, int]
    """Left, top, width and height in the upright picture's pixels."""
    score: float | None = None
    """How sure the detector is; None for a picture that is taken for a face."""
    passed_over: str = ""
    """Why it is not translated, if it is not."""

    @property
    def found(self) -> bool:
        """Whether it was found in a picture."""
        return self.score is not None


def edge_to_edge(levels: Gray, width: int, height: int) -> Face:
    """A picture of that size that is a face [48,48] itself."""
    return Face(levels=levels, frame=whole(width, height), box=(0, 0, width, height))


def find_faces(seen: Gray, finder: FaceDetector) -> tuple[Face, ...]:
    """The faces in a picture [H,W] or [H,W,3] uint8, the largest first."""
    gray = raster.gray(seen)
    faces = [_aligned(gray, one) for one in finder.find(seen)]
    return tuple(sorted(faces, key=lambda face: bool(face.passed_over)))


def _aligned(gray: Gray, one: Detection) -> Face:
    frame = align(one.points)
    height, width = gray.shape
    left, top = (min(max(round(v), 0), n - 1) for v, n in ((one.left, width), (one.top, height)))
    right = min(max(round(one.left + one.width), left + 1), width)
    bottom = min(max(round(one.top + one.height), top + 1), height)
    small = f"not translated: {round(side(frame))} pixels wide, under {SMALLEST}"
    return Face(
        levels=crop(gray, frame),
        frame=frame,
        box=(left, top, right - left, bottom - top),
        score=one.score,
        passed_over=small if side(frame) < SMALLEST else "",
    )
