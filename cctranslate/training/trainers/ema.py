"""Average a network's weights over its training; the average is exported."""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


class ExponentialAverage(AveragedModel):
    """A copy of a network that follows its weights and buffers; `module` is the averaged network.

    The decay grows with the step up to `limit`, so that early weights are forgotten.
    """

    module: nn.Module

    def __init__(self, network: nn.Module, limit: float) -> None:
        # Without a device the count of updates stays on the CPU, so reading it does not wait for
        # the GPU.
        super().__init__(network, multi_avg_fn=self._blend, use_buffers=True)
        self.n_averaged.fill_(1)  # at 0 the first update would copy the weights
        self._limit, self._decay = limit, 0.0
        self.requires_grad_(False)

    def update(self, network: nn.Module, step: int) -> None:
        """Move the average towards the network's weights after training step `step`."""
        self._decay = min(self._limit, (1 + step) / (10 + step))
        self.update_parameters(network)

    def _blend(self, average: Tensors, current: Tensors, updates: Tensor | int) -> None:
        if average[0].is_floating_point():
            blend = get_ema_multi_avg_fn(self._decay)  # type: ignore[no-untyped-call]
            blend(average, current, updates)
            return
        for mean, value in zip(average, current, strict=True):  # counters of batch norm
            mean.copy_(value)
