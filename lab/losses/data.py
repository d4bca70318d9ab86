"""Data made from a seed: inputs [sample, feature] and targets [sample], in float64.

NumPy's generator makes them, so that they stay the same from one version of JAX to the next.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float

from lab.errors import Fault, SpecError

Data: TypeAlias = tuple[Float[np.ndarray, "sample feature"], Float[np.ndarray, " sample"]]


def line(samples: int, seed: int) -> Data:
    """A noisy line: u uniform in [-1, 1], y = u - 0.5 + 0.1 e, e normal."""
    rng = np.random.default_rng(seed)
    u = rng.uniform(-1, 1, samples)
    return u[:, None], u - 0.5 + 0.1 * rng.normal(size=samples)


def rule(samples: int, seed: int, inputs: int = 4) -> Data:
    """Normal inputs that a noisy linear rule labels +1 or -1; no plane parts them."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(samples, inputs))
    score = u @ np.resize([1.5, -1.0, 0.5, 0.0], inputs) + 0.3 + rng.logistic(size=samples)
    return u, np.where(score > 0, 1.0, -1.0)


def moons(samples: int, seed: int) -> Data:
    """Two half circles, one of +1 and one of -1, that reach into each other; noise of .1."""
    rng = np.random.default_rng(seed)
    label = np.where(np.arange(samples) % 2, 1.0, -1.0)
    angle = rng.uniform(0, np.pi, samples)
    x = label * np.cos(angle) + np.where(label > 0, 0, 1) - 0.5
    y = label * np.sin(angle) + np.where(label > 0, 0, 0.5) - 0.25
    return np.stack([x, y], axis=1) + 0.1 * rng.normal(size=(samples, 2)), label


def spirals(samples: int, seed: int) -> Data:
    """Two arms of one and a half turns about 0, +1 and -1 (Lang & Witbrock 1988); noise of .02."""
    rng = np.random.default_rng(seed)
    label = np.where(np.arange(samples) % 2, 1.0, -1.0)
    radius = np.sqrt(rng.uniform(0.01, 1, samples))
    angle = 3 * np.pi * radius
    arm = label * radius
    points = np.stack([arm * np.cos(angle), arm * np.sin(angle)], axis=1)
    return points + 0.02 * rng.normal(size=(samples, 2)), label


def blobs(samples: int, seed: int) -> Data:
    """Two normal clouds of deviation .5 about (1, 1) and (-1, -1), +1 and -1."""
    rng = np.random.default_rng(seed)
    label = np.where(np.arange(samples) % 2, 1.0, -1.0)
    return label[:, None] + 0.5 * rng.normal(size=(samples, 2)), label


def chebyshev(samples: int, seed: int) -> Data:
    """The Chebyshev polynomial of degree 3 at evenly spaced points of [-1, 1] (Cohen et al. 2021).

    Nothing in it is random.
    """
    u = np.linspace(-1, 1, samples)
    return u[:, None], np.cos(3 * np.arccos(u))


def digits(samples: int, seed: int) -> Data:
    """Handwritten digits, 8 x 8 pixels from -1 to 1 (Alpaydin & Kaynak 1998): odd +1, even -1.

    So many of the 1797, drawn by the seed. They come with scikit-learn.
    """
    pixels, labels = numerals(samples, seed)
    return pixels, np.where(labels % 2, 1.0, -1.0)


def numerals(samples: int, seed: int, classes: int = 10) -> Data:
    """The digits, each a class of its own; of fewer classes, 0 and those that follow."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        message = "needs scikit-learn: pip install 'gradient-descent-lab[digits]'"
        raise SpecError([Fault(("data",), message)]) from None
    pixels, labels = load_digits(n_class=classes, return_X_y=True)
    if samples > len(labels):
        message = f"there are {len(labels)} digits, not {samples}"
        raise SpecError([Fault(("samples",), message)])
    chosen = np.random.default_rng(seed).permutation(len(labels))[:samples]
    return pixels[chosen] / 8 - 1, labels[chosen].astype(float)


def clouds(samples: int, seed: int, classes: int = 3) -> Data:
    """Normal clouds of deviation .5, evenly on a circle of radius sqrt 2; two are `blobs`."""
    label = np.arange(samples) % classes
    angle = 2 * np.pi * label / classes - 3 * np.pi / 4
    centres = np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    noise = np.random.default_rng(seed).normal(size=(samples, 2))
    return centres + 0.5 * noise, label.astype(float)


def arms(samples: int, seed: int, classes: int = 3) -> Data:
    """Spiral arms of one and a half turns about 0; two are `spirals`."""
    rng = np.random.default_rng(seed)
    label = np.arange(samples) % classes
    radius = np.sqrt(rng.uniform(0.01, 1, samples))
    angle = 3 * np.pi * radius + np.pi * (1 + 2 * label / classes)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.02 * rng.normal(size=(samples, 2)), label.astype(float)


def half_moons(samples: int, seed: int, classes: int = 2) -> Data:
    """`moons`, labelled 0 and 1."""
    points, label = moons(samples, seed)
    return points, (label + 1) / 2


DATA: dict[str, Callable[..., Data]] = {
    "line": line,
    "rule": rule,
    "moons": moons,
    "spirals": spirals,
    "blobs": blobs,
    "chebyshev": chebyshev,
    "digits": digits,
}
LABELLED = ("rule", "moons", "spirals", "blobs", "digits")
"""Those whose targets are +1 and -1."""


class Classes(NamedTuple):
    """Data whose targets are classes 0, 1, 2 ...: what makes them, how many by default and at most.

    `make` takes samples, seed and the number of classes.
    """

    make: Callable[[int, int, int], Data]
    usual: int
    most: int


CLASSES: dict[str, Classes] = {
    "blobs": Classes(clouds, 3, 1000),
    "moons": Classes(half_moons, 2, 2),
    "spirals": Classes(arms, 3, 1000),
    "digits": Classes(numerals, 10, 10),
}
