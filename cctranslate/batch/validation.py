"""Check a call's options, before anything is written."""

import os
import sys
from pathlib import Path

from cctranslate.batch.call.options import Options
from cctranslate.batch.inputs import sources
from cctranslate.batch.inputs.file_kinds import is_picture_name
from cctranslate.batch.inputs.path_lists import check_list
from cctranslate.batch.items import STDIN
from cctranslate.batch.outputs.folder import COPIES, REPORT
from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.batch.runners.blocks.block_options import check_blocks
from cctranslate.errors import OptionError
from cctranslate.files.paths import real_path
from cctranslate.files.remote import is_remote, open_path
from cctranslate.process.standard_streams import require_input, require_output


def check(options: Options) -> None:
    """Check that the inputs exist, and that the options can be combined.

    Raises:
        InputError: An input does not exist.
        OptionError: Options contradict one another.
    """
    if bool(options.inputs) == bool(options.files_from):
        raise OptionError("name INPUT... or --files-from, one of them")
    if options.null and not options.files_from:
        raise OptionError("-0 goes with --files-from")
    if options.sheet and options.no_sheet:
        raise OptionError("--sheet and --no-sheet: name one of them")
    _check_out(options)
    if options.overwrite and options.retry_failed:
        raise OptionError("--overwrite and --retry-failed: name one of them")
    if options.balance:
        _check_balance(options)
    _check_results(options)
    if options.runner == "ray" or options.store:
        check_blocks(options)
    _check_standard_streams(options)
    if options.stream:
        _check_stream(options)
    _check_inputs(options)
    if options.unconfirmed_to:
        _check_unconfirmed_folder(options, options.unconfirmed_to)
    _check_copies(options)


def _check_out(options: Options) -> None:
    """Check that OUT is a folder, or can be made one."""
    if options.out.exists() and not (options.out.is_dir() or options.out_file):
        kind = "a file" if options.out.is_file() else "no folder"
        raise OptionError(
            f"-o {options.out} is {kind}: name a folder, a .png, .jpg or .webp, or - for stdout"
        )
    if options.out.is_symlink() and not options.out.exists():
        raise OptionError(f"-o {options.out} is a link that leads nowhere: name a folder")


def _check_results(options: Options) -> None:
    """Check that the layout, the format and OUT can hold the results."""
    if options.layout == "fer-csv" and options.result != "face":
        raise OptionError("--layout fer-csv holds faces of 48x48: it needs --result face")
    if options.layout == "fer-csv" and options.format != "png":
        raise OptionError("--layout fer-csv holds pixels and no files: leave out --format")
    if options.soft_labels and options.layout != "fer-csv":
        raise OptionError("--soft-labels are columns of a table: they need --layout fer-csv")
    if options.metadata == "keep" and options.result == "face":
        raise OptionError(
            "--metadata keep: faces by themselves keep none: it needs --result picture"
        )
    is_new_folder = not (options.out_file or options.store)
    if is_new_folder and is_picture_name(options.destination) and not options.destination.is_dir():
        raise OptionError(
            f"-o {options.destination}: results are PNG, JPEG or WebP: end the name in .png, "
            ".jpg or .webp, or name a folder"
        )
    if options.quality is not None and options.format == "png":
        raise OptionError("--quality is of jpeg and webp, png loses nothing: name a --format")


def _check_inputs(options: Options) -> None:
    """Check that the inputs exist, and do not lie in a folder of results."""
    if options.inputs.count(STDIN) > 1:
        raise OptionError("- is one picture from stdin: name it once")
    if options.files_from:
        check_list(options.files_from)
    for word in options.inputs:
        sources.check(word)
        for option, folder in (
            ("--out", options.destination),
            ("--unconfirmed-to", options.unconfirmed_to),
        ):
            if word != STDIN and folder and _lies_in(open_path(word), folder):
                raise OptionError(f"{word} lies in {option} {folder}: results must not be inputs")


def _check_balance(options: Options) -> None:
    """Check that the inputs can be counted before they are read."""
    if options.per_class is not None:
        raise OptionError("--balance and --per-class: name one of them")
    if STDIN in (*options.inputs, options.files_from):
        raise OptionError("--balance counts the inputs first: - can be read only once: name a file")
    if pipe := next((word for word in options.inputs if Path(word).is_fifo()), None):
        raise OptionError(f"--balance counts the inputs first: {pipe} is a pipe: name a file")


def _check_standard_streams(options: Options) -> None:
    """Check that the standard streams that the options name are open."""
    if STDIN in options.inputs:
        require_input(STDIN)
    if options.files_from == STDIN:
        require_input("--files-from -")
    if options.report == "-":
        require_output("--report -")
    elif options.dry_run:
        require_output("--dry-run")
    elif options.stream and not options.out_file:
        require_output("-o -")


def _check_copies(options: Options) -> None:
    """Check that the contact sheet and the copy of the report can be written."""
    if options.sheet and options.sheet.suffix.lower() != ".png":
        raise OptionError(f"--sheet {options.sheet}: the sheet is a PNG: end its name in .png")
    for option, path in (("--report", options.report_copy), ("--sheet", options.sheet)):
        if path is None or is_remote(path):
            continue
        parent = _folder_of(path)
        if not parent.is_dir() and real_path(parent) != real_path(options.out):
            raise OptionError(f"{option} {path}: there is no folder {parent}: make it")
        is_replaced = path.is_file() or not path.exists()  # a pipe or a device is not
        if is_replaced and parent.is_dir() and not os.access(parent, os.W_OK):
            raise OptionError(
                f"{option} {path}: the folder cannot be written to: name another place"
            )
        for folder in filter(None, (options.out, options.unconfirmed_to)):
            if _lies_in(path, folder) and not (option == "--report" and _is_report(path, options)):
                raise OptionError(
                    f"{option} {path}: {folder} holds nothing but results: name another place"
                )
    for option, path in (
        ("--report", options.report_copy),
        ("--sheet", None if options.no_sheet else options.sheet_path),
        ("--out", options.out_file),
    ):
        if path and path.is_file() and not is_ours(path):
            raise OptionError(
                f"{path} is there, and no run wrote it: name another {option}, or move it away"
            )


def _is_report(path: Path, options: Options) -> bool:
    return real_path(path) in [real_path(options.out) / name for name in (REPORT, *COPIES)]


def _check_unconfirmed_folder(options: Options, folder: Path) -> None:
    """Check that unconfirmed results can go to a separate folder."""
    if options.confirmed_only:
        raise OptionError("--confirmed-only and --unconfirmed-to: name one of them")
    if options.store:
        raise OptionError("--unconfirmed-to is a folder on a disk: it needs an --out on a disk")
    if options.stream or options.layout not in ("imagefolder", "tree"):
        raise OptionError("--unconfirmed-to needs --layout imagefolder or tree")
    if _lies_in(folder, options.out) or _lies_in(options.out, folder):
        raise OptionError(f"--unconfirmed-to {folder} and --out {options.out}: one holds the other")


def _check_stream(options: Options) -> None:
    """Check that no option needs an output folder."""
    if options.out_file:
        _check_single_file(options, options.out_file)
    if options.layout == "fer-csv":
        raise OptionError("-o - writes pictures: name a folder for --layout fer-csv")
    if options.report == "-" and not options.out_file:
        raise OptionError("-o - and --report -: only one of them can be stdout")
    for option, is_given in (
        ("--sheet", options.sheet),
        ("--overwrite", options.overwrite),
        ("--retry-failed", options.retry_failed),
    ):
        if is_given:
            raise OptionError(f"{option} needs a folder, which keeps the run: name one with -o")
    if sys.stdout.isatty() and not (options.dry_run or options.out_file):
        raise OptionError("-o - writes bytes: send stdout to a file or a pipe")


def _check_single_file(options: Options, path: Path) -> None:
    """Check that the call makes one result, and that it can be written to `path`."""
    for word in options.inputs:
        sources.check(word)
    if not (sources.are_single_picture(options.inputs) and len(options.plan.variants) == 1):
        raise OptionError(f"-o {path} is one file: name one picture and expression, or a folder")
    if options.layout != "imagefolder":
        raise OptionError(f"-o {path} is one file: leave out --layout {options.layout}")
    if not (is_remote(path) or _folder_of(path).is_dir()):
        raise OptionError(f"-o {path}: there is no folder {_folder_of(path)}: make it")
    if any(real_path(open_path(word)) == real_path(path) for word in options.inputs):
        raise OptionError(f"-o {path} is the input: name another file")


def _folder_of(path: Path) -> Path:
    """Return the folder that a file is written to; a link stays, and leads there."""
    return (real_path(path) if path.is_symlink() else path).parent


def _lies_in(path: Path, folder: Path) -> bool:
    if is_remote(path) or is_remote(folder):
        return f"{path}/".startswith(f"{folder}/")
    return real_path(path).is_relative_to(real_path(folder))
