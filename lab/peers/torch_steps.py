"""The losses and optimizers in PyTorch: points [dim, lane], or a tuple of rows, one a coordinate.

Gradients are autograd's, as PyTorch's users take them. Only the torch peers import this.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from lab.losses import models
from lab.peers.examples import RIDGE, signed_examples
from lab.peers.task import Task

Points = Any
"""A tensor [dim, lane], or a tuple of tensors [lane]."""


def device(task: Task) -> torch.device:
    """Where the task runs."""
    return torch.device("cpu" if task.platform == "cpu" else "cuda")


@dataclass(frozen=True)
class Data:
    """The data of the models as tensors, where the task runs."""

    inputs: Tensor
    outputs: Tensor
    signed: Tensor

    @classmethod
    def of(cls, task: Task) -> "Data":
        """In the task's precision."""
        arrays = (models.INPUTS, models.OUTPUTS, signed_examples())
        kind = getattr(torch, task.precision)
        return cls(*(torch.tensor(a, dtype=kind, device=device(task)) for a in arrays))


def rosenbrock(x: Points, data: Data) -> Tensor:
    """As the catalogue's, for every lane at once."""
    if isinstance(x, tuple):
        pairs = pairwise(x)
        return sum((100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairs), start=0)
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(0)


def rastrigin(x: Points, data: Data) -> Tensor:
    """As the catalogue's."""
    if isinstance(x, tuple):
        return sum((a * a + 20 * torch.sin(math.pi * a) ** 2 for a in x), start=0)
    return (x**2 + 20 * torch.sin(math.pi * x) ** 2).sum(0)


def three_wells(p: Points, data: Data) -> Tensor:
    """As the catalogue's."""
    x, y = p[0], p[1]
    first = 10 / (3 + 3 * (x - 0.5) ** 2 + 3 * (y - 0.5) ** 2)
    second = 2 / (1 + 2 * (x - 3) ** 2 + 2 * (y - 1.5) ** 2)
    third = 3 / (1 + 0.5 * (x - 3.5) ** 2 + 0.5 * (y - 4) ** 2)
    return 10 - first - second - third


def tanh_network(w: Points, data: Data) -> Tensor:
    """As the catalogue's; of rows, one example after the other."""
    n = models.HIDDEN
    if isinstance(w, tuple):
        pairs = zip(models.INPUTS.tolist(), models.OUTPUTS.tolist(), strict=True)
        return sum((_error(w, u, y) ** 2 for u, y in pairs), start=0) / len(models.INPUTS)
    hidden = torch.tanh(w[:n] * data.inputs[:, None, None] + w[n : 2 * n])
    error = (w[2 * n : 3 * n] * hidden).sum(1) + w[3 * n] - data.outputs[:, None]
    return (error**2).mean(0)


def _error(w: tuple[Tensor, ...], u: float, y: float) -> Tensor:
    n = models.HIDDEN
    units = (w[2 * n + i] * torch.tanh(w[i] * u + w[n + i]) for i in range(n))
    return sum(units, start=w[3 * n] - y)


def logistic_regression(w: Points, data: Data) -> Tensor:
    """As the catalogue's."""
    w = torch.stack(w) if isinstance(w, tuple) else w
    margin = data.signed @ w
    return torch.nn.functional.softplus(-margin).mean(0) + RIDGE / 2 * (w**2).sum(0)


LOSSES: dict[str, Callable[[Points, Data], Tensor]] = {
    function.__name__: function
    for function in (rosenbrock, rastrigin, three_wells, tanh_network, logistic_regression)
}


def gradient(task: Task) -> Callable[[Points], Points]:
    """The gradient of every lane: lanes do not mix, so that of their sum."""
    loss, data = LOSSES[task.loss], Data.of(task)
    return torch.func.grad(lambda x: loss(x, data).sum())


def update(optimizer: str, rate: float) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """(x, m, v, g, c1, c2) -> (x, m, v) of one tensor; c1 and c2 are Adam's bias corrections."""

    def sgd(x: Tensor, m: Tensor, v: Tensor, g: Tensor, c1: Any, c2: Any) -> Any:
        return x - rate * g, m, v

    def heavy_ball(x: Tensor, m: Tensor, v: Tensor, g: Tensor, c1: Any, c2: Any) -> Any:
        m = g + 0.9 * m
        return x - rate * m, m, v

    def adam(x: Tensor, m: Tensor, v: Tensor, g: Tensor, c1: Any, c2: Any) -> Any:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        return x - rate * (m * c1) / (torch.sqrt(v * c2) + 1e-8), m, v

    def lion(x: Tensor, m: Tensor, v: Tensor, g: Tensor, c1: Any, c2: Any) -> Any:
        sign = torch.sign(0.9 * m + 0.1 * g)
        return x - rate * (sign + 1e-3 * x), 0.99 * m + 0.01 * g, v

    return {"sgd": sgd, "heavy ball": heavy_ball, "adam": adam, "lion": lion}[optimizer]


def corrections(t: int) -> tuple[float, float]:
    """Adam's 1 / (1 - b^t) for both moments."""
    return 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)


def synchronize(task: Task) -> None:
    """Wait for the GPU, if there is one."""
    if device(task).type == "cuda":
        torch.cuda.synchronize()
