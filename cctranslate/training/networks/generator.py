"""The interface of generators: encode a face, and make an edit of the code and a target."""

from dataclasses import dataclass

from torch import Tensor, nn

Code = tuple[Tensor, ...]
"""The code of a face, parts [N,C,H,W]: the face, feature maps from fine to coarse, then what else
a generator uses."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A translation [N,1,48,48] and its parts: it is the face warped by `flow`, plus `paint`.

    `flow` [N,2,48,48] is in pixels, x then y, from each pixel to where it is fetched from.
    A generator that draws the face anew has a flow of zeros and paints the difference.
    One that redraws mouths adds `mouth` [N,1,48,48], too.
    """

    image: Tensor
    flow: Tensor
    paint: Tensor
    mouth: Tensor | None = None


class Generator(nn.Module):
    """A translator of faces [N,1,48,48] in [-1,1] by label rows [N,7]."""

    def encode(self, x: Tensor) -> Code:
        """Return the face's code, which does not depend on the target."""
        raise NotImplementedError

    def edit(self, code: Code, labels: Tensor) -> Edit:
        """Return the edit of the code's face to the expression of `labels` [N,7]."""
        raise NotImplementedError

    def apply_edit(self, x: Tensor, edit: Edit, strength: Tensor) -> Tensor:
        """Apply a fraction [N] of an edit to faces [N,1,48,48]: 0 leaves them unchanged."""
        return (x + strength[:, None, None, None] * edit.paint).clamp(-1, 1)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Encode and decode once: [N,1,48,48]."""
        return self.edit(self.encode(x), labels).image
