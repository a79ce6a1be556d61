"""The exponential average follows weights and counters as its formula says."""

import torch
from torch import nn

from cctranslate.training.trainers.ema import ExponentialAverage


def test_the_average_follows_the_network_by_a_decay_that_grows_to_its_limit() -> None:
    linear = nn.Linear(2, 2)
    network = nn.Sequential(linear, nn.BatchNorm1d(2))
    average = ExponentialAverage(network, limit=0.5)
    expected = linear.weight.detach().clone()
    for step, decay in ((0, 0.1), (1, 2 / 11), (100, 0.5)):
        network(torch.randn(4, 2))
        with torch.no_grad():
            linear.weight.add_(1)
        average.update(network, step)
        expected = decay * expected + (1 - decay) * linear.weight.detach()
        torch.testing.assert_close(average.module.state_dict()["0.weight"], expected)
    assert average.module.state_dict()["1.num_batches_tracked"] == 3
    assert not any(parameter.requires_grad for parameter in average.parameters())
