"""Types of option values that are paths."""

from __future__ import annotations

import os
from typing import Any

import click


class LocalPath(click.Path):
    """A path on a disk. Empty ones are refused: they come from variables that are not set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        word = os.fspath(value)
        if not word:
            self.fail("it is empty: name a path", param, ctx)
        scheme, separator, _ = word.partition("://")
        if separator and scheme.isalnum():
            self.fail(f"{word}: expected a path on a disk, without {scheme}://", param, ctx)
        return super().convert(value, param, ctx)


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
