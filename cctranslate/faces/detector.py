"""Faces in a picture of any size: YuNet, over OpenCV."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import itemgetter

import cv2
import numpy as np
from numpy.typing import NDArray

from cctranslate import bundle
from cctranslate.faces.alignment import FaceTransform, Points, align, crop, joined, side
from cctranslate.pixels import SIZE, Gray

CARD = "detector.json"
CANDIDATE, SCORE = 0.5, 0.8
"""How sure the detector must be at every look at a face, and at one of them."""
OVERLAP = 0.3
"""Share of two boxes' union from which on they are one face."""
SIDES = (320, 640, 1920)
"""Longer sides, in pixels, that a picture is brought down to and looked at, its own at most: YuNet
finds faces of about 10 to 300 pixels."""

TILTED, TILTS = 640, (-40, 40)
"""Longer side up to which a picture is looked at tilted, too, and by how many degrees: upright, the
detector begins to lose faces at 30."""
CLEAR = 0.88
"""What an upright face's score is at least, mostly."""
LOOKS, STILL = 6, 0.01
"""Looks at a candidate at most; the share of its size by which the last ones move its frame."""
PATCH = 192
"""Pixels that a face and what is around it are brought to, to look at them again: the frame is
the middle half."""
_STEP = 2 * SIZE / PATCH
_AROUND = np.array([[_STEP, 0, (_STEP - 1 - SIZE) / 2], [0, _STEP, (_STEP - 1 - SIZE) / 2]])
_END = SIZE - 1
_TURNS = tuple(
    np.array(turn, np.float64)
    for turn in (
        [[0, -1, _END], [1, 0, 0]],
        [[-1, 0, _END], [0, -1, _END]],
        [[0, 1, 0], [-1, 0, _END]],
    )
)

Rows = NDArray[np.float64]
"""The detector's: left, top, width, height, five points, score."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A face that was found: its box in the picture's pixels, its five points, how sure that is."""

    left: float
    top: float
    width: float
    height: float
    points: Points
    score: float


class FaceDetector:
    """Finds faces; any thread may ask."""

    def __init__(self) -> None:
        """Check the model that comes with the package.

        Raises:
            BundleError: it is missing or altered.
        """
        self._path, self.digest = bundle.alone(CARD)
        self._own = threading.local()
        # Pictures are what runs side by side.
        cv2.setNumThreads(1)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

    def __reduce__(self) -> tuple[type["FaceDetector"], tuple[()]]:
        """Another process opens the model for itself."""
        return FaceDetector, ()

    def find(self, seen: Gray) -> list[Detection]:
        """The faces in a picture [H,W] or [H,W,3] uint8, the largest first."""
        seen, back = _shrunk(seen, SIDES[-1])
        rows = np.concatenate([self._look(view, frame) for view, frame in _views(seen)])
        kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), CANDIDATE, OVERLAP)
        closer = [self._closer(seen, rows[i]) for i in np.asarray(kept, int).ravel()]
        return [_enlarged(one, back) for one in _distinct([one for one in closer if one])]

    def _closer(self, seen: Gray, row: Rows) -> Detection | None:
        """A candidate looked at again, ever more upright: a look makes good half of a tilt."""
        frame, surest = align(row[4:14].reshape(5, 2)), float(row[14])
        points, score = self._face_in(seen, frame)
        if score < CLEAR:
            # A face that lies on its side is taken for an upright one, but unsurely.
            turned = (self._face_in(seen, joined(frame, turn)) for turn in _TURNS)
            points, score = max([(points, score), *turned], key=itemgetter(1))
        for _ in range(LOOKS):
            surest = max(surest, score)
            if score < CANDIDATE:
                return None
            frame, before = align(points), frame
            if np.abs(frame[:, :2] - before[:, :2]).max() < STILL * np.abs(frame[:, :2]).max():
                break
            points, score = self._face_in(seen, frame)
        if surest < SCORE:
            return None
        left, top, width, height = (float(value) for value in row[:4])
        return Detection(
            left=left, top=top, width=width, height=height, points=points, score=surest
        )

    def _face_in(self, seen: Gray, frame: FaceTransform) -> tuple[Points, float]:
        """The five points of the face in the middle of a frame, and how sure that is."""
        patch = joined(frame, _AROUND)
        rows = self._look(crop(seen, patch, PATCH), patch)
        middle = frame @ [_END / 2, _END / 2, 1]
        off = np.abs(rows[:, :2] + rows[:, 2:4] / 2 - middle).max(1, initial=0)
        rows = rows[off < side(frame) / 3]
        if not len(rows):
            return np.zeros((5, 2)), 0.0
        best = rows[rows[:, 14].argmax()]
        return best[4:14].reshape(5, 2), float(best[14])

    def _look(self, view: Gray, frame: FaceTransform) -> Rows:
        """YuNet's rows [N,15] for a view, brought to the picture by the view's frame."""
        detector = self._detector()
        detector.setInputSize((view.shape[1], view.shape[0]))
        code = cv2.COLOR_RGB2BGR if view.ndim == 3 else cv2.COLOR_GRAY2BGR
        found = detector.detect(cv2.cvtColor(view, code))[1]
        if found is None:
            return np.zeros((0, 15))
        rows = np.array(found, np.float64)
        scale = np.hypot(*frame[:, 0])
        middles = (rows[:, :2] + rows[:, 2:4] / 2) @ frame[:, :2].T + frame[:, 2]
        rows[:, 2:4] *= scale
        rows[:, :2] = middles - rows[:, 2:4] / 2
        points = rows[:, 4:14].reshape(-1, 5, 2) @ frame[:, :2].T + frame[:, 2]
        rows[:, 4:14] = points.reshape(-1, 10)
        return rows

    def _detector(self) -> cv2.FaceDetectorYN:
        """This thread's own: OpenCV's keeps state."""
        if not hasattr(self._own, "detector"):
            self._own.detector = cv2.FaceDetectorYN.create(
                str(self._path), "", (640, 640), CANDIDATE, OVERLAP, 5000
            )
        detector: cv2.FaceDetectorYN = self._own.detector
        return detector


def _views(seen: Gray) -> Iterator[tuple[Gray, FaceTransform]]:
    """A picture at several sizes, and tilted, each with the frame that takes it back."""
    for longer in sorted({min(longer, max(seen.shape[:2])) for longer in SIDES}):
        view, frame = _shrunk(seen, longer)
        yield view, frame
        if longer <= TILTED:
            for degrees in TILTS:
                yield _tilted(view, frame, degrees)


def _shrunk(seen: Gray, longer: int) -> tuple[Gray, FaceTransform]:
    """A picture whose longer side is at most so many pixels, and the frame that takes it back."""
    height, width = seen.shape[:2]
    share = min(longer / max(height, width), 1)
    size = max(round(width * share), 1), max(round(height * share), 1)
    x, y = width / size[0], height / size[1]
    small = seen if share == 1 else cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])


def _enlarged(one: Detection, back: FaceTransform) -> Detection:
    (x, _, left), (_, y, top) = back
    return replace(
        one,
        left=one.left * x + left,
        top=one.top * y + top,
        width=one.width * x,
        height=one.height * y,
        points=one.points @ back[:, :2].T + back[:, 2],
    )


def _tilted(view: Gray, frame: FaceTransform, degrees: float) -> tuple[Gray, FaceTransform]:
    height, width = view.shape[:2]
    around = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    across, down = np.abs(around[:, :2]) @ [width, height]
    around[:, 2] += (across - width) / 2, (down - height) / 2
    turned = cv2.warpAffine(view, around, (round(across), round(down)))
    back = np.asarray(cv2.invertAffineTransform(around), np.float64)
    return np.asarray(turned, np.uint8), joined(frame, back)


def _distinct(found: list[Detection]) -> list[Detection]:
    """The largest first; of those that turned out to be one face, the surest."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda one: -one.score):
        middle = one.points.mean(0)
        reach = one.width / 3
        if all(np.hypot(*(other.points.mean(0) - middle)) > reach for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: (-one.width * one.height, one.left, one.top))
