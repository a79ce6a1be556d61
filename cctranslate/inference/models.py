"""A bundle's graphs on the CPU, as functions on gray faces: what is measured is what is shipped."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from cctranslate import bundle
from cctranslate.bundle import WITNESS
from cctranslate.pixels import Gray, to_levels, to_scaled

BATCH = 64


def open_graph(path: Path) -> onnxruntime.InferenceSession:
    """A session of a graph on the CPU: what `export` checks and `evaluate` measures."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class TranslationModels:
    """A bundle's graphs on the CPU, as functions on gray faces."""

    def __init__(self, folder: Path) -> None:
        found = bundle.load(folder)
        self._generator, self._judge = open_graph(found.generator), open_graph(found.judge)
        self._witness = open_graph(found.file(WITNESS)) if found.holds(WITNESS) else None

    def translate(self, faces: Gray, labels: NDArray[np.float32]) -> Gray:
        """Faces [N,48,48] and label rows [K,7] -> translations [N,K,48,48]."""
        parts = [
            to_levels(
                self._generator.run(
                    ["translated"],
                    {"faces": to_scaled(faces[i : i + BATCH])[:, None], "labels": labels},
                )[0]
            )
            for i in range(0, len(faces), BATCH)
        ]
        return np.concatenate(parts)[:, :, 0]

    def judge(self, faces: Gray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Faces [N,48,48] -> probabilities [N,7] and features [N,C]."""
        return _classify(self._judge, faces)

    def witness(self, faces: Gray) -> NDArray[np.float32] | None:
        """Faces [N,48,48] -> the witness's probabilities [N,7], if the bundle holds one."""
        return _classify(self._witness, faces)[0] if self._witness else None


def _classify(
    session: onnxruntime.InferenceSession, faces: Gray
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    parts = [
        session.run(
            ["probabilities", "features"], {"faces": to_scaled(faces[i : i + 512])[:, None]}
        )
        for i in range(0, len(faces), 512)
    ]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
