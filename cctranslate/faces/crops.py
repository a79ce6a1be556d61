"""Find the faces in a picture, crop them for the models, and choose among them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import cv2
import numpy as np

from cctranslate.faces import raster
from cctranslate.faces.alignment import (
    FaceTransform,
    Points,
    align,
    bounds,
    composed,
    crop,
    scaling,
    side,
    whole,
    within,
)
from cctranslate.faces.detector import Detection, FaceDetector, enlarged
from cctranslate.faces.hardness import are_hard
from cctranslate.faces.raster import Canvas
from cctranslate.pixels import SIZE, Gray, Pixels

FaceChoice = Literal["all", "largest"] | int
"""Which faces of a picture to translate; a number counts from the largest, which is 1."""
SMALLEST = 32
"""Least width in pixels of a face's crop. Smaller ones show the models next to nothing."""
CLEAR = 2 * SIZE
"""Width of a face's crop in a reduced picture that is enough. Smaller ones are cropped from the
picture at its full size."""


@dataclass(frozen=True, kw_only=True)
class Face:
    """A face of a picture: its crop for the models, its box, and how sure the detector is."""

    levels: Gray
    """The crop, [48,48] uint8."""
    frame: FaceTransform
    """From the crop to the picture."""
    box: tuple[int, int, int, int]
    """Left, top, width and height in the upright picture's pixels."""
    score: float | None = None
    """The detector's confidence; None for a picture that is taken for a face."""
    hard: bool = False
    """Whether its landmarks say that it is hard to change. Whole pictures have no landmarks."""
    skip_reason: str = ""
    """Why it is not translated, if it is not."""
    number: int = 1
    """Its number in the picture, from 1. The largest face comes first."""

    @property
    def is_detected(self) -> bool:
        """Whether the detector found it; False if the whole picture is the face."""
        return self.score is not None


def edge_to_edge(levels: Gray, width: int, height: int) -> Face:
    """Return the face of a picture that is a face from edge to edge.

    Args:
        levels: The picture, resized to [48,48] uint8.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
    """
    return Face(levels=levels, frame=whole(width, height), box=(0, 0, width, height))


def find_faces(
    levels: Pixels,
    detector: FaceDetector,
    size: tuple[int, int] | None = None,
    in_full: Callable[[], Canvas] | None = None,
) -> tuple[Face, ...]:
    """Return the faces in a picture [H,W] or [H,W,3] uint8, the largest first.

    Args:
        levels: The picture, or a reduced version of it.
        detector: Finds the faces.
        size: The picture's width and height, if `levels` is a reduced version.
        in_full: Returns the picture at its full size. It is called only if a face is small.
    """
    height, width = levels.shape[:2]
    full_width, full_height = size or (width, height)
    x = full_width / width
    back = scaling(x, full_height / height)
    detections = [enlarged(detection, back) for detection in detector.find(levels)]
    if in_full and any(side(align(detection.points)) < CLEAR * x for detection in detections):
        cropped = partial(_crop_in_full, in_full())
    else:
        cropped = partial(_crop_of_reduced, raster.gray(levels), back)
    faces = [_aligned(cropped, detection, (full_width, full_height)) for detection in detections]
    ordered = sorted(faces, key=lambda face: bool(face.skip_reason))
    return tuple(replace(face, number=number) for number, face in enumerate(ordered, 1))


def choose_faces(faces: tuple[Face, ...], which: FaceChoice) -> tuple[Face, ...]:
    """Give faces that `--which` does not choose a reason to be skipped, and put them last."""
    if which == "all":
        return faces
    wanted = 1 if which == "largest" else which
    marked = (
        face
        if face.number == wanted or face.skip_reason
        else replace(face, skip_reason=f"not translated: not chosen by --which {which}")
        for face in faces
    )
    return tuple(sorted(marked, key=lambda face: bool(face.skip_reason)))


def _crop_in_full(canvas: Canvas, frame: FaceTransform) -> Gray:
    """Return a frame's crop. Only that part of the picture is converted to gray."""
    width, height = canvas.image.size
    box = bounds(frame, (height, width))
    return crop(raster.gray(canvas.opaque_levels(box)), within(frame, box[0], box[1]))


def _crop_of_reduced(gray: Gray, back: FaceTransform, frame: FaceTransform) -> Gray:
    """Return a frame's crop from a reduced picture; `back` maps `gray` to the picture."""
    inverse = np.asarray(cv2.invertAffineTransform(back), np.float64)
    return crop(gray, composed(inverse, frame))


def _aligned(
    cropped: Callable[[FaceTransform], Gray], detection: Detection, size: tuple[int, int]
) -> Face:
    """Return the face of a detection. `cropped` returns a frame's crop."""
    frame = align(detection.points)
    width, height = size
    left, top = (
        min(max(round(v), 0), n - 1) for v, n in ((detection.left, width), (detection.top, height))
    )
    right = min(max(round(detection.left + detection.width), left + 1), width)
    bottom = min(max(round(detection.top + detection.height), top + 1), height)
    small = f"not translated: {round(side(frame))} pixels wide, under {SMALLEST}"
    return Face(
        levels=cropped(frame),
        frame=frame,
        box=(left, top, right - left, bottom - top),
        score=detection.score,
        hard=_is_hard(detection.points, frame),
        skip_reason=small if side(frame) < SMALLEST else "",
    )


def _is_hard(points: Points, frame: FaceTransform) -> bool:
    """Return whether a face with these landmarks is hard to change."""
    back = np.asarray(cv2.invertAffineTransform(frame), np.float64)
    in_crop = points @ back[:, :2].T + back[:, 2]
    return bool(are_hard(in_crop[None], np.ones(1, np.bool_))[0])
