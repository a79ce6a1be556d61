"""The graphs of a bundle as torch modules: networks in the form that `batch` runs."""

import torch
from torch import Tensor, nn

from cctranslate.pixels import SIZE
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.generator import Generator


class TranslatorGraph(nn.Module):
    """Faces [N,1,48,48], label rows [K,7] and strengths [K] -> translations [N,K,1,48,48].

    More outputs are for larger pictures: `flow` [N,K,2,48,48], in pixels as in `Edit`, `paint`
    [N,K,1,48,48], and `mouth` [N,K,1,48,48] if the generator redraws mouths.

    A label row sums to one. Strength 0 leaves the face unchanged. Strength 1 changes it `gain`
    times as much as the generator does, with a gain for each expression.
    """

    gain: Tensor

    def __init__(self, generator: Generator, gain: tuple[float, ...]) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("gain", torch.tensor(gain))

    def forward(self, faces: Tensor, labels: Tensor, strength: Tensor) -> tuple[Tensor, ...]:
        """Encode each face once and decode its code for every label row."""
        n, k = faces.shape[0], labels.shape[0]
        code = self.generator.encode(faces)
        repeated_code = tuple(c.unsqueeze(1).expand(-1, k, -1, -1, -1).flatten(0, 1) for c in code)
        edit = self.generator.edit(
            repeated_code, labels.unsqueeze(0).expand(n, -1, -1).flatten(0, 1)
        )
        applied = strength * (labels * self.gain).sum(1)
        applied = applied.unsqueeze(0).expand(n, -1).flatten()
        translated = self.generator.apply_edit(repeated_code[0], edit, applied).reshape(
            n, k, 1, SIZE, SIZE
        )
        parts = (edit.flow, edit.paint) + (() if edit.mouth is None else (edit.mouth,))
        scaled = (applied[:, None, None, None] * part for part in parts)
        # Their sizes are told: the exported graph declares them.
        counts = (2, 1, 1)[: len(parts)]
        return translated, *(
            part.reshape(n, k, count, SIZE, SIZE)
            for part, count in zip(scaled, counts, strict=True)
        )


class JudgeGraph(nn.Module):
    """Faces [N,1,48,48] -> calibrated probabilities [N,7] and pooled features [N,C]."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Compute both outputs in one pass."""
        features = self.classifier.features(faces)
        logits = self.classifier.head(features) / self.classifier.temperature
        return logits.softmax(1), features
