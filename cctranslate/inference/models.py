"""A bundle's models, as functions on gray faces.

`batch` uses `translate`, which attenuates edits of faces that show the target already; `evaluate`
measures `generate`, the generator alone.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cctranslate.bundle import FACE_PRESENCE, WITNESS, Bundle
from cctranslate.errors import BundleError
from cctranslate.inference import attenuation, output_shapes
from cctranslate.inference.conditions import Conditions
from cctranslate.inference.engines import Engine, Graph, choose
from cctranslate.inference.openvino_graphs import Precision
from cctranslate.pixels import SIZE, Floats, Gray, to_levels, to_scaled

MEMORY = 256 * 2**20
"""Bytes that the results of a micro-batch may take."""
_EDIT_BYTES = (4 + 3) * SIZE * SIZE * 4
"""Bytes of an edit [4,48,48] float32, and of what `adapt` makes of it [3,48,48]."""
_PARTS = ("flow", "paint", "mouth")
"""The outputs that edits consist of, as far as a graph has them."""


@dataclass(frozen=True, kw_only=True)
class Translated:
    """Faces' translations [N,K,48,48] uint8, and the edits [N,K,4,48,48] that make them, if wanted.

    An edit says from how far away each pixel is fetched (x and y, in pixels), how much light is
    added to it (gray levels span [-1,1]), and how much more where the mouth is redrawn.
    `source_probabilities` [N,7] are the judge's, NaN if a translation is not finite.
    """

    faces: Gray
    edits: Floats | None
    source_probabilities: Floats


class TranslationModels:
    """A bundle's generator, judge and witness. Any thread may use them.

    A face's results do not depend on the other faces or on the number of threads.
    """

    def __init__(
        self,
        bundle: Bundle,
        device: str = "auto",
        batch_size: int | None = None,
        engine: Engine = "auto",
        precision: Precision = "f32",
        threads: int | None = None,
    ) -> None:
        """Open the graphs, to be run on so many processors: by default on all.

        Raises:
            DeviceError: The device, engine or precision cannot be used here.
            BundleError: A graph that cannot be loaded.
        """
        self._bundle = bundle
        self._backend = choose(bundle, device, engine, precision, threads)
        self.engine, self.precision = self._backend.engine, self._backend.precision
        self.provider = self._backend.provider
        self.batch_size = min(batch_size or self._backend.batch_size, self._backend.max_results)
        self._generator = self._backend.open(bundle.generator)
        self._judge = self._backend.open(bundle.judge)
        self._presence = (
            self._backend.open(bundle.file(FACE_PRESENCE)) if bundle.holds(FACE_PRESENCE) else None
        )
        self._was_full = False
        self._pool = ThreadPoolExecutor(self._backend.concurrent_runs, thread_name_prefix="models")

    def micro_batch(self, results: int, with_edits: bool) -> int:
        """Return how many faces to translate at once, each to so many results.

        They keep every core busy, and what comes of them takes at most `MEMORY`.
        """
        face_bytes = results * (SIZE * SIZE + with_edits * _EDIT_BYTES)
        return min(
            max(MEMORY // face_bytes, 1), self.batch_size * 2 * self._backend.concurrent_runs
        )

    def translate(
        self, faces: Gray, conditions: Conditions, with_edits: bool = False
    ) -> Translated:
        """Translate faces [N,48,48] uint8, attenuated where they show the target already.

        Raises:
            DeviceError: Memory is short, or the device failed.
        """
        source_probabilities = self.judge(faces)
        applied = attenuation.fractions(source_probabilities, conditions.targets)
        translated, edits, finite = self._generate(faces, conditions, with_edits)
        source_probabilities[~finite] = np.nan
        if edits is not None:
            attenuation.attenuate_edits(edits, applied, conditions.plain)
        attenuated = attenuation.attenuate(faces, translated, applied, conditions.plain)
        return Translated(faces=attenuated, edits=edits, source_probabilities=source_probabilities)

    def generate(self, faces: Gray, conditions: Conditions) -> Gray:
        """Translate faces [N,48,48] to [N,K,48,48] as the generator does by itself.

        Raises:
            BundleError: Pixels are no numbers.
            DeviceError: Memory is short, or the device failed.
        """
        translated, _, finite = self._generate(faces, conditions, with_edits=False)
        if not finite.all():
            raise BundleError(
                f"{self._bundle.generator}: gives pixels that are no numbers: export it again"
            )
        return translated

    def judge(self, faces: Gray) -> Floats:
        """Return the judge's probabilities [...,7] of faces [...,48,48] uint8.

        It sees what is written, rounded to gray levels.

        Raises:
            DeviceError: Memory is short, or the device failed.
        """
        flat = faces.reshape(-1, SIZE, SIZE)
        (probabilities,) = self._classify(self._judge, flat, ["probabilities"])
        return probabilities.reshape(*faces.shape[:-2], -1)

    def classify(self, faces: Gray) -> tuple[Floats, Floats]:
        """Return the judge's probabilities [N,7] and features [N,C] of faces [N,48,48]."""
        probabilities, features = self._classify(self._judge, faces, ["probabilities", "features"])
        return probabilities, features

    def witness(self, faces: Gray) -> Floats | None:
        """Return the witness's probabilities [N,7] of faces [N,48,48], if the bundle has one."""
        if not self._bundle.holds(WITNESS):
            return None
        graph = self._backend.open(self._bundle.file(WITNESS))
        return self._classify(graph, faces, ["probabilities"])[0]

    def classify_presence(self, pictures: Gray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which pictures [N,48,48] show a face, and which faces are hard to change.

        All show one, and none is hard, if the bundle cannot tell.

        Raises:
            DeviceError: Memory is short, or the device failed.
        """
        count = len(pictures)
        if self._presence is None or not count:
            return np.ones(count, bool), np.zeros(count, bool)
        outputs = ["logits", *(["hard"] if "hard" in self._presence.outputs else [])]
        logits, *hard = self._classify(self._presence, pictures, outputs)
        return logits >= 0, hard[0] >= 0 if hard else np.zeros(count, bool)

    def _generate(
        self, faces: Gray, conditions: Conditions, with_edits: bool
    ) -> tuple[Gray, Floats | None, NDArray[np.bool_]]:
        """Return translations, edits if wanted, and which faces' are all numbers [N]."""
        n, k = len(faces), len(conditions)
        finite = np.empty((n, k), np.bool_)
        translated = np.empty((n, k, SIZE, SIZE), np.uint8)
        edits = np.zeros((n, k, 4, SIZE, SIZE), np.float32) if with_edits else None
        parts = [name for name in _PARTS if with_edits and name in self._generator.outputs]
        outputs = ["translated", *parts]
        max_results = self._backend.max_results

        def run(rows: slice, columns: slice) -> None:
            scaled, conditions_run = to_scaled(faces[rows]), conditions.part(columns)
            count = len(scaled)
            inputs = self._conditioned(self._filled(scaled, size), conditions_run)
            results = self._generator.run(outputs, inputs)
            faces_run = len(inputs["faces"])
            output_shapes.check(
                self._bundle.folder, outputs, results, faces_run, len(conditions_run)
            )
            results = [result[:count] for result in results]
            sound = [np.isfinite(result).all((2, 3, 4)) for result in results]
            finite[rows, columns] = np.logical_and.reduce(sound)
            if not finite[rows, columns].all():
                results = list(map(np.nan_to_num, results))
            translated[rows, columns] = to_levels(results[0][:, :, 0])
            if edits is not None and parts:
                edits[rows, columns, : len(parts) + 1] = np.concatenate(results[1:], 2)
            elif edits is not None:
                # A bundle without edits draws the face anew: all that it changes is light.
                edits[rows, columns, 2] = results[0][:, :, 0] - scaled[:, None]

        size = min(self.batch_size, max(max_results // k, 1))
        self._was_full |= n >= size
        self._run_all(run, [(r, c) for c in _slices(k, max_results) for r in _slices(n, size)])
        return translated, edits, np.asarray(finite.all(1))

    def _conditioned(self, faces: Floats, conditions: Conditions) -> dict[str, Floats]:
        """Return the generator's inputs; bundles of format 1 take strength within the labels."""
        strength = np.ascontiguousarray(conditions.strength)
        if "strength" in self._generator.inputs:
            labels = np.ascontiguousarray(conditions.labels)
            return {"faces": faces, "labels": labels, "strength": strength}
        return {"faces": faces, "labels": conditions.labels * strength[:, None]}

    def _classify(self, graph: Graph, faces: Gray, outputs: Sequence[str]) -> list[Floats]:
        parts: dict[int, list[Floats]] = {}
        size = self.batch_size
        self._was_full |= len(faces) >= size

        def run(rows: slice) -> None:
            scaled = to_scaled(faces[rows])
            filled = self._filled(scaled, size)
            results = graph.run(outputs, {"faces": filled})
            output_shapes.check(self._bundle.folder, outputs, results, len(filled))
            parts[rows.start] = [result[: len(scaled)] for result in results]

        self._run_all(run, [(rows,) for rows in _slices(len(faces), size)])
        return [
            np.concatenate(output) for output in zip(*map(parts.get, sorted(parts)), strict=True)
        ]

    def _filled(self, scaled: Floats, size: int) -> Floats:
        """Return faces [N,48,48] as [M,1,48,48], filled up to a shape that the engine may get."""
        count = len(scaled)
        # Once a batch was full, all are filled up to that: then a face's results do not depend on
        # which faces came with it.
        power = size if self._was_full else min(1 << (count - 1).bit_length(), size)
        rows = {"any": count, "powers": power, "fixed": size}[self._backend.shapes]
        if rows == count:
            return scaled[:, None]
        filled = np.zeros((rows, 1, SIZE, SIZE), np.float32)
        filled[:count, 0] = scaled
        return filled

    def _run_all(self, run: Callable[..., None], pieces: list[tuple[slice, ...]]) -> None:
        """Run the pieces side by side; one after the other they need no other thread."""
        if len(pieces) == 1 or self._backend.concurrent_runs == 1:
            for piece in pieces:
                run(*piece)
            return
        futures = [self._pool.submit(run, *piece) for piece in pieces]
        try:
            for future in futures:
                future.result()
        finally:
            for future in futures:
                future.cancel()


def _slices(count: int, size: int) -> Iterator[slice]:
    return (slice(i, min(i + size, count)) for i in range(0, count, size))
