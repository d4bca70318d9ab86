"""Synthetic labelled arrays in the layout that the figures take."""

import numpy as np
import xarray as xr

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TARGETS = (1e-2, 1e-4, 1e-6)
OUTCOMES = ("converged", "diverged", "left_domain", "stalled", "oscillating", "budget_spent")
LABELS = ("sgd", "heavy ball", "adam", "rmsprop", "adagrad", "lion")
HARD = (
    "cost $x_1$ in $",
    "_hidden",
    "Ω-descent µ",
    "a" * 60,
    "最速",
    "a_b^c",
    "<b>&",
    "7",
    "#",
    "%",
)


def wilson(share, n):
    """The 95 % interval of a share."""
    z = 1.959963984540054
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def summary(best=1e-2, width=1.0, *, rates=40, lanes=512, momentum=None, diverges=10.0, low=1e-5):
    """A summary whose success is a plateau around `best`; above `diverges` times it, +inf."""
    rate = np.geomspace(low, 1.0, rates)
    keys = {"learning_rate": rate} | ({} if momentum is None else {"momentum": np.array(momentum)})
    mesh = np.meshgrid(*keys.values(), indexing="ij")
    away = np.abs(np.log10(mesh[0] / best)) + (0 if momentum is None else np.abs(mesh[1] - 0.9) * 4)
    share = np.round(lanes / (1 + np.exp(8 * (away - width / 2)))) / lanes
    median = 1e-8 * 10 ** (8 * np.minimum(away / (width + 0.5), 1.1))
    lost = mesh[0] > diverges * best
    share = np.where(lost, 0.0, share)
    spread = np.array([-1.5, -0.7, 0, 0.7, 1.5])
    losses = median[..., None] * 10 ** (spread * (1 + away[..., None] / 2))
    losses[lost] = np.inf
    dims = tuple(keys)
    shares = np.stack([np.minimum(1, share * k) for k in (1.2, 1.1, 1.0)], -1)
    kinds = np.zeros((*share.shape, 6))
    kinds[..., 0] = share
    kinds[..., 1] = lost * 0.9
    kinds[..., 2] = lost * 0.1
    rest = 1 - kinds.sum(-1)
    slow = mesh[0] < best
    kinds[..., 3], kinds[..., 5] = rest * ~slow * 0.5, rest * slow
    kinds[..., 4] = rest * ~slow * 0.5
    return xr.Dataset(
        {
            "minimum_share": ((*dims, "known_minimum"), share[..., None]),
            "lanes": (dims, np.full(share.shape, lanes)),
            "outcome_share": ((*dims, "outcome"), kinds),
            "final_loss_quantile": ((*dims, "quantile"), losses),
            "best_loss_quantile": ((*dims, "quantile"), losses),
            "hit_share": ((*dims, "target"), shares),
            "hit_share_low": ((*dims, "target"), wilson(shares, lanes)[0]),
            "hit_share_high": ((*dims, "target"), wilson(shares, lanes)[1]),
            "hit_step_quantile": ((*dims, "target", "quantile"), np.full((*shares.shape, 5), 50.0)),
            "ert": ((*dims, "target"), 100 / np.maximum(shares, 1e-3)),
        },
        coords={**keys, "quantile": list(QUANTILES), "target": list(TARGETS)}
        | {"outcome": list(OUTCOMES)},
        attrs={"above": 0.0},
    )


def summaries(labels=LABELS):
    """One summary a label, each with its own best rate and width."""
    bests = np.resize([2e-3, 6e-4, 5e-2, 1e-2, 0.3, 3e-3], len(labels))
    widths = np.resize([0.7, 1.0, 2.1, 1.4, 1.2, 0.5], len(labels))
    pairs = zip(labels, bests, widths, strict=True)
    return {label: summary(best, width) for label, best, width in pairs}


def failing(label="sgd"):
    """An optimizer that diverges at every rate."""
    return {label: summary(1e-9, diverges=1e-3)}


def valley(x, y):
    """Rosenbrock's function."""
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def landscape(count=121):
    """The valley on its box, with its minimum."""
    x, y = np.linspace(-2, 2, count), np.linspace(-1, 3, count)
    return xr.Dataset(
        {
            "loss": (("y", "x"), valley(*np.meshgrid(x, y))),
            "minima": (("minimum", "dim"), [[1.0, 1.0]]),
        },
        coords={"x": x, "y": y},
        attrs={"names": ["x", "y"]},
    )


def path(rate=1e-3, lanes=6, steps=300, momentum=0.0, seed=0):
    """Gradient descent in the valley; a rate that is too large leaves it."""
    x = np.random.default_rng(seed).uniform([-2, -1], [2, 3], (lanes, 2))
    kept, speed = [x], np.zeros_like(x)
    for _ in range(steps):
        a, b = x[:, 0], x[:, 1]
        gradient = np.stack([2 * (a - 1) - 400 * a * (b - a * a), 200 * (b - a * a)], -1)
        speed = np.clip(momentum * speed - rate * gradient, -1e3, 1e3)
        x = np.clip(x + speed, -1e6, 1e6)
        kept.append(x)
    points = np.stack(kept, 1)
    return xr.Dataset(
        {
            "point": (("lane", "step", "dim"), points),
            "loss": (("lane", "step"), valley(points[..., 0], points[..., 1])),
            "steps": ("lane", np.full(lanes, steps)),
        },
        coords={"step": np.arange(steps + 1)},
    )


def line_landscape(count=201):
    """x cos(pi x) on [-2, 2.5], a loss of one variable."""
    x = np.linspace(-2, 2.5, count)
    return xr.Dataset(
        {
            "loss": ("x", x * np.cos(np.pi * x)),
            "minima": (("minimum", "dim"), [[1.0932], [-0.2739]]),
        },
        coords={"x": x},
        attrs={"names": ["x"]},
    )


def line_path(rate=0.05, lanes=3, steps=20, seed=1):
    """Gradient descent on x cos(pi x)."""
    x = np.random.default_rng(seed).uniform(-1.8, 2.3, lanes)
    kept = [x]
    for _ in range(steps):
        x = x - rate * (np.cos(np.pi * x) - np.pi * x * np.sin(np.pi * x))
        kept.append(x)
    points = np.stack(kept, 1)
    return xr.Dataset(
        {
            "point": (("lane", "step", "dim"), points[..., None]),
            "loss": (("lane", "step"), points * np.cos(np.pi * points)),
            "steps": ("lane", np.full(lanes, steps)),
        },
        coords={"step": np.arange(steps + 1)},
    )


def curve(rate=0.05, steps=400, start=30.0, floor=1e-9, diverges=False):
    """Quantiles of the loss against the step."""
    step = np.arange(steps + 1)
    middle = floor + start * np.exp(-rate * step)
    spread = 10 ** (np.array([-1.2, -0.5, 0, 0.5, 1.2])[:, None] * np.minimum(step / 50, 1))
    values = middle * spread
    if diverges:
        values = start * np.exp(rate * step) * spread
        values[values > 1e8] = np.inf
    return xr.Dataset(
        {"loss_quantile": (("quantile", "step"), values)},
        coords={"quantile": list(QUANTILES), "step": step},
    )


def sharpening(limit=20.0, steps=400, floor=2.0):
    """A sharpness that rises to its limit."""
    at = np.arange(0, steps + 1, 40)
    rise = floor + 18 * (1 - np.exp(-at / 100))
    spread = np.array([0.5, 0.8, 1, 1.2, 1.5])
    return xr.Dataset(
        {"sharpness_quantile": (("step", "quantile"), rise[:, None] * spread), "limit": limit},
        coords={"step": at, "quantile": list(QUANTILES)},
        attrs={"setting": "learning rate 0.1", "starts": 16},
    )


def curves(labels=LABELS):
    """One curve a label, at different speeds."""
    return {label: curve(0.01 * (i + 1) ** 1.3) for i, label in enumerate(labels)}


def basin(count=256, rate=0.2, none=0.05):
    """Three wells: who is nearest wins, wavy in the rate; beyond the rim, none."""
    x = y = np.linspace(0, 5, count)
    a, b = np.meshgrid(x, y)
    minima = np.array([[0.52, 0.55], [3.02, 1.52], [3.5, 4.0]])
    away = [
        np.hypot(a - p, b - q) + rate * np.sin(4 * a + 3 * b + k) for k, (p, q) in enumerate(minima)
    ]
    nearest = np.argmin(away, 0)
    nearest[np.hypot(a - 5, b) < 5 * np.sqrt(none)] = -1
    return xr.Dataset(
        {
            "minimum": (("y", "x"), nearest),
            "steps": (("y", "x"), (20 + 60 * np.min(away, 0)).astype(int)),
            "minima": (("minimum_index", "dim"), minima),
        },
        coords={"x": x, "y": y},
        attrs={"names": ["x", "y"]},
    )
