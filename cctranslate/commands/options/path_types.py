"""Types of option values that are paths."""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import CompletionItem


def expanded(word: str) -> str:
    """Return a path with the user's folder for a `~` at its beginning.

    Shells leave that as it is in `--out=~/x` and in quoted patterns. A path that is there stays.
    """
    if word.partition("/")[0] == "~" and not os.path.lexists(word):
        return os.path.expanduser(word)  # noqa: PTH111
    return word


class PathWord(click.ParamType[str]):
    """A path or a pattern as text."""

    name = "path"
    envvar_list_splitter = "\n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        return expanded(str(value))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell complete files."""
        return [CompletionItem(incomplete, type="file")]


class LocalPath(click.Path):
    """A path on a disk. Empty ones are refused: they come from variables that are not set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        word = expanded(os.fspath(value))
        if not word:
            self.fail("it is empty: name a path", param, ctx)
        if word.startswith("=") and isinstance(param, click.Option):
            self.fail(f"{word}: write it without `=`, or after {param.opts[-1]}=", param, ctx)
        scheme, separator, _ = word.partition("://")
        if separator and scheme.isalnum():
            self.fail(f"{word}: expected a path on a disk, without {scheme}://", param, ctx)
        return super().convert(word, param, ctx)


class PathOrUrl(LocalPath):
    """A path on a disk, or in a store by a URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        from cctranslate.files.remote import is_remote, open_path

        if not is_remote(value):
            return super().convert(value, param, ctx)
        url = str(value).rstrip("/")
        if not is_remote(url):
            self.fail(f"{value}: names no bucket or server", param, ctx)
        return open_path(url)
