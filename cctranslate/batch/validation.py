"""Whether what a call of `batch` was asked for can be done: told before anything is written."""

import sys
from pathlib import Path

from cctranslate.batch.inputs import sources
from cctranslate.batch.inputs.exclusions import refuse_losses
from cctranslate.batch.options import Options
from cctranslate.batch.outputs.folder import COPIES, REPORT
from cctranslate.errors import OptionError
from cctranslate.standard_streams import require_input, require_output


def check(asked: Options) -> None:
    """See that the inputs are there, and that the options go together.

    Raises:
        InputError: an input is not there.
        OptionError: options that cannot go together.
    """
    if asked.layout == "fer-csv" and asked.result != "face":
        raise OptionError("--layout fer-csv holds faces of 48x48: it takes --result face")
    if asked.layout == "fer-csv" and asked.format != "png":
        raise OptionError("--layout fer-csv holds pixels and no files: leave out --format")
    _check_standard_streams(asked)
    if asked.stream:
        _check_stream(asked)
    if asked.inputs.count(sources.STDIN) > 1:
        raise OptionError("- is one picture from stdin: name it once")
    for word in asked.inputs:
        sources.check(word)
        for option, folder in (("--out", asked.out), ("--unconfirmed-to", asked.unconfirmed_to)):
            if word != sources.STDIN and folder and _lies_in(Path(word), folder):
                raise OptionError(f"{word} lies in {option} {folder}: results must not be inputs")
    if asked.unconfirmed_to:
        _check_aside(asked, asked.unconfirmed_to)
    _check_copies(asked)


def _check_standard_streams(asked: Options) -> None:
    """Whether the standard streams that the options name are open."""
    if sources.STDIN in asked.inputs:
        require_input(sources.STDIN)
    if asked.files_from == sources.STDIN:
        require_input("--files-from -")
    if asked.report == "-":
        require_output("--report -")
    elif asked.dry_run:
        require_output("--dry-run")
    elif asked.stream:
        require_output("-o -")


def _check_copies(asked: Options) -> None:
    """The contact sheet and the copy of the report."""
    for option, path in (("--report", asked.copy), ("--sheet", asked.sheet)):
        if path is None:
            continue
        if not path.parent.is_dir() and path.parent.resolve() != asked.out.resolve():
            raise OptionError(f"{option} {path}: there is no folder {path.parent}: make it")
        for folder in filter(None, (asked.out, asked.unconfirmed_to)):
            if _lies_in(path, folder) and not (option == "--report" and _is_report(path, asked)):
                raise OptionError(
                    f"{option} {path}: {folder} holds nothing but results: name another place"
                )
    named = (*asked.inputs, *([asked.files_from] if asked.files_from else []))
    copies = [("--report", asked.copy, asked.copy), ("--sheet", asked.sheet, asked.sheet_place)]
    refuse_losses(asked.out, named, [(o, given, place) for o, given, place in copies if place])


def _is_report(path: Path, asked: Options) -> bool:
    return path.resolve() in [asked.out.resolve() / name for name in (REPORT, *COPIES)]


def _check_aside(asked: Options, aside: Path) -> None:
    """What a folder of its own for the unconfirmed asks for."""
    if asked.confirmed_only:
        raise OptionError("--confirmed-only and --unconfirmed-to: name one of them")
    if asked.stream or asked.layout not in ("imagefolder", "tree"):
        raise OptionError("--unconfirmed-to takes files of their own: imagefolder or tree")
    if _lies_in(aside, asked.out) or _lies_in(asked.out, aside):
        raise OptionError(f"--unconfirmed-to {aside} and --out {asked.out}: one holds the other")


def _check_stream(asked: Options) -> None:
    """What only a folder can have."""
    if asked.layout == "fer-csv":
        raise OptionError("-o - writes pictures: name a folder for --layout fer-csv")
    if asked.report == "-":
        raise OptionError("-o - and --report -: only one of them can be stdout")
    for option, given in (
        ("--sheet", asked.sheet),
        ("--overwrite", asked.overwrite),
        ("--retry-failed", asked.retry_failed),
    ):
        if given:
            raise OptionError(f"{option} needs a folder: -o - keeps nothing")
    if sys.stdout.isatty() and not asked.dry_run:
        raise OptionError("-o - writes bytes: send stdout to a file or a pipe")


def _lies_in(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
