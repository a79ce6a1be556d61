"""Store a converted network's weights beside the bundle, with the card that names their source."""

import json
from pathlib import Path

import click
import numpy as np
from torch import nn

from cctranslate.bundle import entry


def store(network: nn.Module, path: Path, card: str, **facts: str) -> None:
    """Write the weights to `path` as halves, and digest and facts to a card beside them."""
    state = {name: value.numpy().astype(np.float16) for name, value in network.state_dict().items()}
    np.savez_compressed(path, **state)
    written = entry(path)
    text = json.dumps({**written, **facts}, indent=2) + "\n"
    (path.parent / card).write_text(text, encoding="utf-8")
    click.echo(f"{path}: {written['bytes']} bytes")
