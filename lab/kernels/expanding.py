"""Elementary functions that a kernel does not know, written out in basic operations.

Only where they are taken for each lane: what is the same for all is left to the C library.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import jax
import numpy as np
from jax.extend import core

from lab.kernels.elementary import EXPANSIONS
from lab.kernels.loop import Loop
from lab.scalarize import Straight, aval, inlined, scalarize


def expanded(loop: Loop, written_out: Mapping[str, Callable[..., Any]] = EXPANSIONS) -> Straight:
    """All of the loop's step, with these elementary functions of lanes written out."""
    by_lane = loop.by_lane

    def body(equation: core.JaxprEqn) -> Straight | None:
        name = equation.primitive.name
        if name not in written_out or equation.outvars[0] not in by_lane:
            return None
        return expansion(name, tuple(np.dtype(aval(a).dtype) for a in equation.invars))

    if not any(body(equation) for equation in loop.whole.jaxpr.eqns):
        return loop.whole
    return loop.whole.with_jaxpr(lambda jaxpr: inlined(jaxpr, body))


@cache
def expansion(name: str, dtypes: Sequence[Any]) -> Straight:
    """An elementary function of numbers of these types, in basic operations."""
    operands = [jax.ShapeDtypeStruct((), dtype) for dtype in dtypes]
    with jax.enable_x64(any(dtype.itemsize == 8 for dtype in dtypes)):
        return scalarize(EXPANSIONS[name], *operands)
