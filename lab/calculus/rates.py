"""Learning rates over time, as plain formulas of NumPy to hold optax's schedules against."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

Steps = Float[np.ndarray, " step"]


def exponential(t: Steps, init_value: float, transition_steps: int, decay_rate: float) -> Steps:
    """Rates eta_0 r^(t / T)."""
    return init_value * decay_rate ** (t / transition_steps)


def inverse_root(t: Steps, init_value: float, slope: float = 1.0) -> Steps:
    """Rates eta_0 (1 + s t)^(-1/2)."""
    return init_value * (1 + slope * t) ** -0.5


def multistep(t: Steps, init_value: float, boundaries_and_scales: Mapping[int, float]) -> Steps:
    """Rates eta_0 times the factors of all boundaries that t has reached or passed."""
    passed = [np.where(t >= at, scale, 1.0) for at, scale in boundaries_and_scales.items()]
    return init_value * np.prod(passed, axis=0)


def cosine(t: Steps, init_value: float, decay_steps: int, alpha: float = 0.0) -> Steps:
    """Rates eta_0 ((1 - a) (1 + cos(pi t / T)) / 2 + a), t at most T (Loshchilov & Hutter 2017)."""
    wave = (1 + np.cos(np.pi * np.minimum(t, decay_steps) / decay_steps)) / 2
    return init_value * ((1 - alpha) * wave + alpha)


def warmup_cosine(
    t: Steps,
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    decay_steps: int,
    end_value: float = 0.0,
) -> Steps:
    """A straight rise over W steps to the peak, then half a cosine to the end at step T."""
    rise = init_value + (peak_value - init_value) * t / warmup_steps
    part = np.clip((t - warmup_steps) / (decay_steps - warmup_steps), 0, 1)
    fall = end_value + (peak_value - end_value) * (1 + np.cos(np.pi * part)) / 2
    return np.where(t < warmup_steps, rise, fall)


FORMULAS: dict[str, Callable[..., Steps]] = {
    "exponential_decay": exponential,
    "inverse_root_schedule": inverse_root,
    "piecewise_constant_schedule": multistep,
    "cosine_decay_schedule": cosine,
    "warmup_cosine_decay_schedule": warmup_cosine,
}
"""The formulas by the names of the schedules."""


def rates_by_formula(schedule: Any, steps: int) -> Steps | None:
    """The rates of the first steps: of a number, or of a schedule whose formula is here.

    Args:
        schedule: a number, or a `lab.optimizers.recipe.Call` of a schedule.
        steps: how many.
    """
    t = np.arange(steps, dtype=np.float64)
    if isinstance(schedule, int | float):
        return np.full(steps, float(schedule))
    formula = FORMULAS.get(getattr(schedule.function, "__name__", ""))
    return None if formula is None else formula(t, **schedule.arguments)
