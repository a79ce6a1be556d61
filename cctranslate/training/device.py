"""Where and how precisely to compute."""

from contextlib import AbstractContextManager

import torch

from cctranslate.errors import UserError


class DeviceError(UserError):
    """The device that was asked for cannot be had."""


def choose(name: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda[:N]`.

    Raises:
        DeviceError: CUDA was asked for by name and torch cannot use it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DeviceError(f"--device {name}: torch finds no usable CUDA device: use cpu or auto")
    return device


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device computes bfloat16 in hardware (on a CPU: AVX512-BF16 or AMX)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported and supported())


def autocast(device: torch.device, enabled: bool = True) -> AbstractContextManager[None]:
    """bfloat16 where the hardware has it: twice as quick as float32, on either kind of device."""
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled and has_bfloat16(device))
