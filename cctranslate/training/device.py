"""Choose the device and the precision of a training."""

import re
from contextlib import AbstractContextManager

import torch

from cctranslate.errors import DeviceError


def choose(name: str) -> torch.device:
    """Return the device for `auto`, `cpu` or `cuda[:N]`.

    Raises:
        DeviceError: Another word, or a CUDA device that torch cannot use.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise DeviceError(f"--device {name}: choose from auto, cpu, cuda and cuda:N")
    device = torch.device(name)
    # is_available first: counting devices where there is no driver may warn.
    if device.type == "cuda" and not (
        torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    ):
        raise DeviceError(f"--device {name}: torch finds no usable CUDA device: use cpu or auto")
    return device


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the device computes bfloat16 in hardware (on a CPU: AVX512-BF16 or AMX)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported and supported())


def autocast(device: torch.device) -> AbstractContextManager[None]:
    """Compute in bfloat16 where the hardware supports it: on a CPU 1.4 to 1.9 times as fast."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device))
