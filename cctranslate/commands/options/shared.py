"""Options and defaults that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from cctranslate.commands.options.value_types import Device

DEFAULT_DATA = Path("datasets/fer2013.csv")
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    type=Device(),
    help="auto, cpu or cuda[:N]; it is an error if cuda cannot be used.",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(("auto", "onnxruntime", "openvino")),
    default="auto",
    show_default=True,
    help="What runs the models. auto: OpenVINO if it is installed, on processors with AMX or with "
    "--precision bf16; else onnxruntime.",
)
precision_option = click.option(
    "--precision",
    type=click.Choice(("f32", "bf16")),
    default="f32",
    show_default=True,
    help="bf16: quicker, on processors that compute it, with OpenVINO; results differ by some "
    "gray levels.",
)
