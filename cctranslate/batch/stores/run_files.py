"""Keep the report, `run.json`, the page and the table on this disk where OUT is in a store.

They grow in a temporary folder, and are uploaded whole. If a kill loses them, their content is
still in the files of `.cluster` in the store.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cctranslate.batch.call.options import Options
from cctranslate.batch.outputs.folder import COPIES, PAGE, REPORT, RUN
from cctranslate.batch.outputs.layout import TABLE
from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.batch.report import formats
from cctranslate.batch.stores import lock
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OptionError
from cctranslate.files import remote
from cctranslate.files.writing import unwritable

_EARLIER = (RUN, REPORT, TABLE, *COPIES)


class RunFiles:
    """A folder on this disk whose files are downloaded from a store and uploaded to it."""

    def __init__(self, out: Path, store: Path) -> None:
        self._out, self._store = out, store
        self._saved: dict[str, tuple[int, int]] = {}

    def fetch(self) -> None:
        """Download the files of earlier calls.

        Raises:
            OutputError: It cannot be read.
        """
        try:
            for name in _EARLIER:
                if remote.download(self._store / name, self._out / name):
                    self._saved[name] = _state(self._out / name)
        except OSError as error:
            raise unwritable(self._store, error) from None

    def save(self) -> None:
        """Upload the files that have changed since the last upload.

        Raises:
            OutputError: It cannot be written.
        """
        for path in sorted(self._out.iterdir()):
            if path.name.startswith(".") or not path.is_file():
                continue
            state = _state(path)
            if self._saved.get(path.name) != state:
                try:
                    remote.upload(path, self._store / path.name)
                except OSError as error:
                    raise unwritable(self._store / path.name, error) from None
                self._saved[path.name] = state

    def remove_results(self) -> None:
        """Remove the results of earlier calls: those in the report, and those with our mark.

        Raises:
            OutputError: They cannot be removed.
        """
        system, root = remote.system(self._store), remote.key(self._store)
        recorded = {f"{root}/{name}" for name in _recorded(self._out / REPORT)}
        try:
            with remote.errors_of(self._store):
                for emotion in EMOTIONS:
                    for key in system.find(f"{root}/{emotion}"):
                        if key not in recorded and is_ours(_path(system, key)):
                            recorded.add(key)
                there = sorted(key for key in recorded if system.exists(key))
                if there:
                    system.rm(there)
                if system.exists(f"{root}/{PAGE}"):
                    system.rm(f"{root}/{PAGE}")
        except OSError as error:
            raise unwritable(self._store, error) from None


@contextmanager
def run_files(options: Options) -> Iterator[Callable[[], None]]:
    """Lock OUT in a store, download its run files, and upload them at the end; yield `save`.

    Does nothing where OUT is on a disk.

    Raises:
        BusyError: Another run is writing there.
        OptionError: The store's folder holds files that are not from a run.
        OutputError: The store cannot be written.
    """
    if options.store is None:
        yield lambda: None
        return
    with lock.hold(options.store):
        files = RunFiles(options.out, options.store)
        files.fetch()
        if not (options.out / RUN).exists():
            _refuse_foreign_files(options.store)
        if options.overwrite:
            files.remove_results()
        try:
            yield files.save
        finally:
            files.save()


def fetch_run(options: Options) -> None:
    """Download `run.json` of OUT in a store, for a call that writes nothing.

    Raises:
        OutputError: It cannot be read.
    """
    if options.store is None:
        return
    try:
        remote.download(options.store / RUN, options.out / RUN)
    except OSError as error:
        raise unwritable(options.store, error) from None


def _refuse_foreign_files(store: Path) -> None:
    """Check that a folder in a store holds only results of a run."""
    try:
        with remote.errors_of(store):
            keys = remote.system(store).ls(remote.key(store), detail=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(store, error) from None
    names = [str(key).rstrip("/").rpartition("/")[2] for key in keys]
    if any(not name.startswith(".") for name in names if name != store.name):
        raise OptionError(
            f"{store} holds files that are not from a run of batch: name another --out"
        )


def _recorded(report: Path) -> set[str]:
    """Return the output files that a report lists, as far as it can be read."""
    try:
        return {row.output.partition(":")[0] for row in formats.read(report) if row.output}
    except OptionError:
        return set()


def _path(system: object, key: str) -> Path:
    return remote.open_path(system.unstrip_protocol(key))  # type: ignore[attr-defined]


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
