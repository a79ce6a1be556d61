"""The Translator, which runs the stages of `batch` on pictures in a Python program."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Unpack, overload

from cctranslate import bundle
from cctranslate.batch.inputs.decoding import DecodeOptions
from cctranslate.batch.outputs.encoding import Result
from cctranslate.batch.outputs.layout import Layout
from cctranslate.batch.outputs.writers import PackedResults, ResultToWrite, fingerprint
from cctranslate.batch.stages.chunks import ItemChunk
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.batch.stages.translate import translate
from cctranslate.batch.stages.worker_tasks import WorkerTasks
from cctranslate.emotions import parse_emotion, parse_emotions
from cctranslate.errors import BundleError, DeviceError, OptionError, TargetError, UserError
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.variants import Plan
from cctranslate.translator.results import in_python, to_error, to_translations
from cctranslate.translator.sources import Source, is_single, to_item
from cctranslate.translator.translation import Settings, SettingsDict, Translation, is_whole

Results = list[Translation]


class Translator:
    """Gives the faces in pictures another expression. Any thread may use it; it can be pickled."""

    def __init__(
        self,
        weights: Path | str | None = None,
        device: str = "auto",
        batch_size: int | None = None,
        **settings: Unpack[SettingsDict],
    ) -> None:
        """Open a bundle, by default the one that comes with the package.

        Args:
            weights: The bundle's folder.
            device: `auto`, `cpu` or `cuda[:N]`.
            batch_size: Faces of a micro-batch; None chooses by device.
            **settings: The fields of `Settings`, for every call that does not set them itself.

        Raises:
            BundleError: The bundle cannot be used.
            DeviceError: The device cannot be used.
            OptionError: A setting or `batch_size` has a value that it cannot have.
        """
        if not (batch_size is None or is_whole(batch_size, 1)):
            raise OptionError(f"batch_size={batch_size!r}: expected a number from 1, or None")
        self._settings, self._arguments = Settings(**settings), (weights, device, batch_size)
        if not isinstance(device, str):
            raise DeviceError(f"device={device!r}: expected auto, cpu or cuda[:N]")
        if weights == "":
            raise BundleError("weights='': it is empty: name a folder, or pass None")
        self._bundle = bundle.load(bundle.shipped() if weights is None else Path(weights))
        self._opened: dict[int, tuple[TranslationModels, FaceDetector]] = {}
        self._models_and_detector()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments only. Unpickling opens the bundle again."""
        return partial(Translator, *self._arguments, **vars(self._settings)), ()

    def _models_and_detector(self) -> tuple[TranslationModels, FaceDetector]:
        """Return this process's models and detector, opened at first use.

        A forked process opens its own, as its parent's threads do not run in it. It keeps the
        inherited ones: to free them, OpenVINO would wait for those threads.
        """
        process = os.getpid()
        if process not in self._opened:
            _, device, batch_size = self._arguments
            with _errors_in_python():
                models = TranslationModels(self._bundle, device, batch_size)
            self._opened[process] = models, FaceDetector()
        return self._opened[process]

    def translate(
        self, source: Source, target: str, **settings: Unpack[SettingsDict]
    ) -> Translation:
        """Return a picture whose faces show the expression `target`.

        Args:
            source: A path, a file's bytes, a PIL image or a uint8 array.
            target: An expression's name or synonym.
            **settings: The fields of `Settings` that are to differ in this call.

        Raises:
            PictureError: The picture cannot be read.
            NoFaceError: There is no face to translate.
            TargetError: `target` names no expression.
            OptionError: A setting has a value that it cannot have, or gives several results.
            DeviceError: Memory is short, or the device failed.
        """
        chosen = replace(self._settings, **settings)
        try:
            plan = chosen.plan((parse_emotion(target),))
        except ValueError as error:
            raise TargetError(str(error)) from None
        if len(plan.variants) > 1:
            raise OptionError("several strengths or samples: translate_many gives several results")
        (results,) = _raising(self._stream([source], plan, chosen))
        return results[0]

    @overload
    def translate_many(
        self,
        sources: Iterable[Source],
        targets: str | Sequence[str],
        *,
        errors: Literal["raise"] = "raise",
        **settings: Unpack[SettingsDict],
    ) -> Iterator[Results]: ...

    @overload
    def translate_many(
        self,
        sources: Iterable[Source],
        targets: str | Sequence[str],
        *,
        errors: Literal["return"],
        **settings: Unpack[SettingsDict],
    ) -> Iterator[Results | UserError]: ...

    def translate_many(
        self,
        sources: Iterable[Source],
        targets: str | Sequence[str],
        *,
        errors: Literal["raise", "return"] = "raise",
        **settings: Unpack[SettingsDict],
    ) -> Iterator[Any]:
        """Return an iterator over each picture's results, in the order of the pictures.

        A picture's results come by target in FER2013's order, by strength, by sample. Faces of
        several pictures share a micro-batch, so results come a little after their sources are read.

        Args:
            sources: Pictures, as `translate` takes them; read as they are needed.
            targets: Names or synonyms of expressions, or `all`.
            errors: `return` gives a picture's PictureError or NoFaceError in place of its results
                and goes on; `raise` raises it.
            **settings: The fields of `Settings` that are to differ in this call.

        Raises:
            PictureError, NoFaceError: As `translate`, while iterating.
            TargetError: A target names no expression.
            OptionError: A setting has a value that it cannot have, or `sources` is one picture.
            DeviceError: Memory is short, or the device failed, while iterating.
        """
        if is_single(sources):
            raise OptionError("translate_many takes several pictures: put one in a list")
        words = (targets,) if isinstance(targets, str) else tuple(targets)
        chosen = replace(self._settings, **settings)
        try:
            plan = chosen.plan(parse_emotions(words))
        except ValueError as error:
            raise TargetError(str(error)) from None
        if errors not in ("raise", "return"):
            raise OptionError(f"errors={errors!r}: expected raise or return")
        stream = self._stream(sources, plan, chosen)
        return stream if errors == "return" else _raising(stream)

    def _stream(
        self, sources: Iterable[Source], plan: Plan, settings: Settings
    ) -> Iterator[Results | UserError]:
        """Yield each picture's results, or its error."""
        models, detector = self._models_and_detector()
        in_pictures = settings.result == "picture"
        collector = _Collector()
        layout = Layout(
            kind="imagefolder",
            suffix=".png",
            names_strength=True,
            names_sample=True,
            separate_faces=not in_pictures,
        )
        work = WorkerTasks(
            decode_options=DecodeOptions(
                face_mode=settings.faces,
                detector=detector,
                will_reread=in_pictures,
                which=settings.which,
            ),
            renderer=ResultRenderer(
                plan=plan, layout=layout, packer=collector, in_pictures=in_pictures, metadata=False
            ),
            pickled=False,
            all_rows=True,
        )
        decoded = (work.decode(ItemChunk(items=[to_item(source)])) for source in sources)
        translated = translate(decoded, plan, models, claim=str)
        while True:
            with _errors_in_python():
                chunk = next(translated, None)
            if chunk is None:
                return
            (rows,) = work.finish(chunk).rows
            yield to_error(rows) or to_translations(
                rows, chunk, collector.take(), len(plan.variants)
            )


@dataclass(kw_only=True)
class _Collector:
    """A packer that keeps a picture's results in memory instead of writing them."""

    in_memory: bool = True
    _results: dict[str, Result] = field(default_factory=dict)

    def pack(self, results: Iterable[ResultToWrite]) -> PackedResults:
        """Keep the results, by the paths that `batch` would write them to."""
        self._results = {
            to_write.output: replace(to_write.result, picture=to_write.result.picture.copy())
            for to_write in results
        }
        return PackedResults(fingerprints=dict.fromkeys(self._results, fingerprint(b"")))

    def take(self) -> dict[str, Result]:
        """Return the results and forget them."""
        results, self._results = self._results, {}
        return results


@contextmanager
def _errors_in_python() -> Iterator[None]:
    """Spell the options in errors of the device as the Translator's arguments are."""
    try:
        yield
    except DeviceError as error:
        raise DeviceError(in_python(str(error))) from None


def _raising(stream: Iterator[Results | UserError]) -> Iterator[Results]:
    for results in stream:
        if isinstance(results, UserError):
            raise results
        yield results
