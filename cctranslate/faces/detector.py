"""Find faces in a picture of any size with YuNet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import itemgetter

import cv2
import numpy as np

from cctranslate import bundle
from cctranslate.faces.alignment import (
    FaceTransform,
    Points,
    align,
    composed,
    scaling,
    side,
    within,
)
from cctranslate.faces.pyramid import Pyramid
from cctranslate.faces.yunet import Rows, YuNet
from cctranslate.pixels import SIZE, Pixels

CARD = "detector.json"
CANDIDATE, SCORE = 0.5, 0.8
"""Scores of a face: the least at every look at it, and what at least one look must reach."""
OVERLAP = 0.3
"""Intersection over union of two boxes above which they are one face."""
SIDES = (320, 640, 1600)
"""Longer sides, in pixels, of the views of a picture, at most the picture's: YuNet finds faces of
about 10 to 300 pixels. The largest view takes most of the time. With 1280 instead, 1 of 12 faces
of 48 pixels in pictures of 1600 was found, and not 6."""
LARGEST_SIDE = SIDES[-1]
"""Longer side, in pixels, that larger pictures are reduced to before the search."""

TILTED_PIXELS, TILT_DEGREES = 640, (-40, 40)
"""Longer side of the views that are also tilted, and by how many degrees: upright, the detector
begins to lose faces at 30."""
CORNER = 32
"""Pixels that each side of a tilted view is cut by. That leaves a fifth less to search, and loses
only the picture's outermost corners. It is a multiple of YuNet's largest stride, so that the
network sees the rest as before."""
UPRIGHT = 0.88
"""Score that most upright faces reach."""
LOOKS, STILL = 6, 0.01
"""Most looks at a candidate, and the relative change of its transform below which they end."""
PATCH = 192
"""Side in pixels of the patch in which a face is looked at again; the face is its middle half."""
_AROUND = within(scaling(2 * SIZE / PATCH, 2 * SIZE / PATCH), SIZE // 2, SIZE // 2)
"""From the patch to the 48x48 face in its middle."""
_END = SIZE - 1
_TURNS = tuple(
    np.array(turn, np.float64)
    for turn in (
        [[0, -1, _END], [1, 0, 0]],
        [[-1, 0, _END], [0, -1, _END]],
        [[0, 1, 0], [-1, 0, _END]],
    )
)

LEFT_TOP, WIDTH_HEIGHT, BOX, POINTS, CONFIDENCE = (
    slice(0, 2),
    slice(2, 4),
    slice(0, 4),
    slice(4, 14),
    14,
)
"""Columns of the detector's rows."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A face that was found: its box in the picture's pixels, its five points and its score."""

    left: float
    top: float
    width: float
    height: float
    points: Points
    score: float


class FaceDetector:
    """Finds faces, in any thread."""

    def __init__(self) -> None:
        """Check the model that comes with the package.

        Raises:
            BundleError: It is missing or altered.
        """
        path, self.digest = bundle.standalone_model(CARD)
        self._yunet = YuNet(path)
        # Pictures are what runs side by side.
        cv2.setNumThreads(1)

    def __reduce__(self) -> tuple[type["FaceDetector"], tuple[()]]:
        """Pickle the detector without its model: another process opens it again."""
        return FaceDetector, ()

    def find(self, levels: Pixels) -> list[Detection]:
        """Return the faces in a picture [H,W] or [H,W,3] uint8, the largest first."""
        largest, back = Pyramid(levels).shrunk(LARGEST_SIDE)
        pyramid = Pyramid(largest)
        rows = np.concatenate([self.detect_in_view(view, frame) for view, frame in _views(pyramid)])
        boxes, scores = rows[:, BOX].tolist(), rows[:, CONFIDENCE].tolist()
        distinct = cv2.dnn.NMSBoxes(boxes, scores, CANDIDATE, OVERLAP)
        refined = [self._refined(pyramid, rows[i]) for i in np.asarray(distinct, int).ravel()]
        return [enlarged(detection, back) for detection in _distinct(list(filter(None, refined)))]

    def _refined(self, pyramid: Pyramid, row: Rows) -> Detection | None:
        """Look at a candidate again, ever more upright: a look corrects half of a tilt."""
        frame, best = align(row[POINTS].reshape(5, 2)), float(row[CONFIDENCE])
        points, score = self._face_in(pyramid, frame)
        if score < UPRIGHT:
            # A face that lies on its side is taken for an upright one, with a low score.
            turned = (self._face_in(pyramid, composed(frame, turn)) for turn in _TURNS)
            points, score = max([(points, score), *turned], key=itemgetter(1))
        for _ in range(LOOKS):
            best = max(best, score)
            if score < CANDIDATE:
                return None
            frame, former = align(points), frame
            if np.abs(frame[:, :2] - former[:, :2]).max() < STILL * np.abs(frame[:, :2]).max():
                break
            points, score = self._face_in(pyramid, frame)
        if best < SCORE or score < CANDIDATE:
            return None
        left, top, width, height = (float(value) for value in row[BOX])
        return Detection(left=left, top=top, width=width, height=height, points=points, score=best)

    def _face_in(self, pyramid: Pyramid, frame: FaceTransform) -> tuple[Points, float]:
        """Return the five points of the face in the middle of a frame, and its score."""
        patch = composed(frame, _AROUND)
        rows = self.detect_in_view(pyramid.crop(patch, PATCH), patch)
        middle = frame @ [_END / 2, _END / 2, 1]
        off = np.abs(rows[:, LEFT_TOP] + rows[:, WIDTH_HEIGHT] / 2 - middle).max(1, initial=0)
        rows = rows[off < side(frame) / 3]
        if not len(rows):
            return np.zeros((5, 2)), 0.0
        best = rows[rows[:, CONFIDENCE].argmax()]
        return best[POINTS].reshape(5, 2), float(best[CONFIDENCE])

    def detect_in_view(self, view: Pixels, frame: FaceTransform) -> Rows:
        """Return YuNet's rows [N,15] for a view, mapped to the picture by the view's transform."""
        rows = self._yunet.faces(view, CANDIDATE, OVERLAP)
        scale = np.hypot(*frame[:, 0])
        middles = (rows[:, LEFT_TOP] + rows[:, WIDTH_HEIGHT] / 2) @ frame[:, :2].T + frame[:, 2]
        rows[:, WIDTH_HEIGHT] *= scale
        rows[:, LEFT_TOP] = middles - rows[:, WIDTH_HEIGHT] / 2
        points = rows[:, POINTS].reshape(-1, 5, 2) @ frame[:, :2].T + frame[:, 2]
        rows[:, POINTS] = points.reshape(-1, 10)
        return rows


def _views(pyramid: Pyramid) -> Iterator[tuple[Pixels, FaceTransform]]:
    """Return a picture at several sizes, and tilted, each with its transform to the picture."""
    longest = max(pyramid.picture.shape[:2])
    for longer in sorted({min(longer, longest) for longer in SIDES}):
        view, frame = pyramid.shrunk(longer)
        yield view, frame
        if longer <= TILTED_PIXELS:
            for degrees in TILT_DEGREES:
                yield _tilted(view, frame, degrees)


def enlarged(detection: Detection, back: FaceTransform) -> Detection:
    """Return a detection in a shrunk picture as one in the picture itself."""
    (x, _, left), (_, y, top) = back
    return replace(
        detection,
        left=detection.left * x + left,
        top=detection.top * y + top,
        width=detection.width * x,
        height=detection.height * y,
        points=detection.points @ back[:, :2].T + back[:, 2],
    )


def _tilted(view: Pixels, frame: FaceTransform, degrees: float) -> tuple[Pixels, FaceTransform]:
    """Return a view turned by some degrees, without its outermost corners."""
    height, width = view.shape[:2]
    around = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    corners = np.abs(around[:, :2]) @ [width, height]
    cut = CORNER if max(width, height) >= SIDES[0] else 0
    size = np.rint(corners - 2 * cut).astype(int).clip(1)
    around[:, 2] += (corners[0] - width) / 2 - cut, (corners[1] - height) / 2 - cut
    turned = cv2.warpAffine(view, around, size.tolist())
    back = np.asarray(cv2.invertAffineTransform(around), np.float64)
    return np.asarray(turned, np.uint8), composed(frame, back)


def _distinct(detections: list[Detection]) -> list[Detection]:
    """Return the largest first; of detections of one face, the one with the highest score."""
    distinct: list[Detection] = []
    for detection in sorted(detections, key=lambda detection: -detection.score):
        middle = detection.points.mean(0)
        reach = detection.width / 3
        if all(np.hypot(*(other.points.mean(0) - middle)) > reach for other in distinct):
            distinct.append(detection)
    return sorted(
        distinct,
        key=lambda detection: (-detection.width * detection.height, detection.left, detection.top),
    )
