"""The pictures that trainings draw at each tick."""

import torch
from PIL import Image
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import Gray, to_levels
from cctranslate.training.data import device_cache


@torch.inference_mode()
def draw_sheet(generator: nn.Module, faces: Gray, device: torch.device) -> Image.Image:
    """Draw a row for each face [N,48,48]: the face, then its seven translations."""
    x = device_cache.scaled(torch.from_numpy(faces).to(device))
    labels = torch.eye(NUM_CLASSES, device=device)
    columns = [x, *(generator(x, label.expand(len(x), -1)) for label in labels)]
    return to_picture(torch.cat([column[:, 0].float() for column in columns], 2).flatten(0, 1))


def to_picture(grid: Tensor) -> Image.Image:
    """Return faces that lie side by side [H,W] in [-1,1] as a picture of twice that size."""
    picture = Image.fromarray(to_levels(grid.cpu().numpy()))
    return picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.NEAREST)
