"""Devices that cannot be used."""

import pytest

from cctranslate.errors import (
    DeviceError,
)
from cctranslate.training.device import choose


@pytest.mark.parametrize("name", ["gpu", "mps", "cuda:", "cuda:99", "CPU"])
def test_an_unusable_device_is_refused(name: str) -> None:
    with pytest.raises(DeviceError, match=f"--device {name}: "):
        choose(name)
