"""The 24 noiseless functions of COCO's `bbob` suite, in any dimension and instance.

`bbob(function, dimension, instance)` makes a `Loss` of one; `FUNCTIONS` lists them by number.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from lab.errors import Fault, SpecError, nearest
from lab.losses.base import MOST_DIMENSIONS, Loss, Point, Scalar, formula_of, proven
from lab.losses.bbob import gallagher, multimodal, unimodal
from lab.losses.bbob.parts import Instance
from lab.losses.values import whole

SOURCE = "Hansen, Finck, Ros & Auger 2009, INRIA RR-6829; COCO: Hansen et al. 2021"


class Entry(NamedTuple):
    """A function of a point and an instance, where its optimum is, whether f is smooth there."""

    function: Callable[[Point, Instance], Scalar]
    optimum: Callable[[Instance], np.ndarray] = lambda c: c.x_opt
    smooth: bool = False


FUNCTIONS = {
    1: Entry(unimodal.sphere, smooth=True),
    2: Entry(unimodal.ellipsoid_separable),
    3: Entry(unimodal.rastrigin_separable),
    4: Entry(unimodal.bueche_rastrigin, unimodal.bueche_rastrigin_optimum),
    5: Entry(unimodal.linear_slope, unimodal.linear_slope_optimum),
    6: Entry(unimodal.attractive_sector),
    7: Entry(unimodal.step_ellipsoid),
    8: Entry(unimodal.rosenbrock, unimodal.rosenbrock_optimum, smooth=True),
    9: Entry(unimodal.rosenbrock_rotated, unimodal.rotated_valley_optimum, smooth=True),
    10: Entry(unimodal.ellipsoid),
    11: Entry(unimodal.discus),
    12: Entry(unimodal.bent_cigar, unimodal.bent_cigar_optimum),
    13: Entry(unimodal.sharp_ridge),
    14: Entry(unimodal.different_powers),
    15: Entry(multimodal.rastrigin),
    16: Entry(multimodal.weierstrass),
    17: Entry(multimodal.schaffers),
    18: Entry(multimodal.schaffers),
    19: Entry(multimodal.griewank_rosenbrock, unimodal.rotated_valley_optimum, smooth=True),
    20: Entry(multimodal.schwefel, multimodal.schwefel_optimum, smooth=True),
    21: Entry(gallagher.gallagher, gallagher.gallagher_optimum),
    22: Entry(gallagher.gallagher, gallagher.gallagher_optimum),
    23: Entry(multimodal.katsuura),
    24: Entry(multimodal.lunacek, multimodal.lunacek_optimum, smooth=True),
}


def bbob(function: int, dimension: int = 2, instance: int = 1) -> Loss:
    """A function of the suite, as COCO computes it.

    Args:
        function: 1 to 24.
        dimension: 2 or more.
        instance: 1 or more; it moves the optimum, its value, and the rotations.

    Returns:
        The loss. Where `kinks` is set, slopes or curvatures have no limit at the optimum.

    Example:
        >>> bbob(1, dimension=3, instance=2).minimum()
        394.48
    """
    return from_table({"function": function, "dimension": dimension, "instance": instance})


BOUNDS = {"function": (1, 24), "dimension": (2, MOST_DIMENSIONS), "instance": (1, 100_000)}
DEFAULTS = {"dimension": 2, "instance": 1}


def from_table(table: Mapping[str, Any]) -> Loss:
    """The loss of a table with the keys `function`, `dimension` and `instance`."""
    numbers, faults = dict[str, int](), list[Fault]()
    for key, value in {**DEFAULTS, **table}.items():
        try:
            numbers[key] = whole(value, *BOUNDS[key])
        except KeyError:
            told = f"bbob has no parameter {key!r}{nearest(key, BOUNDS)}"
            faults.append(Fault((key,), told))
        except ValueError as error:
            faults.append(Fault((key,), str(error)))
    if "function" not in table:
        faults.append(Fault(("name",), "bbob needs a 'function', a whole number from 1 to 24"))
    if faults:
        raise SpecError(faults)
    return _made(**numbers)


@cache
def _made(function: int, dimension: int, instance: int) -> Loss:
    """The same loss for the same numbers, so that it compiles once."""
    entry, c = FUNCTIONS[function], Instance(function, dimension, instance)

    def value(x: Any) -> Scalar:
        return entry.function(x, c) + c.f_opt

    loss = Loss(
        f"bbob_f{function}_i{instance}", value, dimension=dimension,
        low=np.full(dimension, -5.0), high=np.full(dimension, 5.0), source=SOURCE,
        formula=f"{formula_of(entry.function)} + f_opt",
        known_minima=entry.optimum(c)[None], known_minimum=c.f_opt, kinks=not entry.smooth,
    )  # fmt: skip
    return proven(loss)
