"""Elementary functions that no processor has, written out in basic operations.

Only where they are taken for each lane: what is the same for all is left to the C library.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import jax
import numpy as np
from jax.extend import core

from lab.kernels.elementary import EXPANSIONS
from lab.kernels.loop import Loop
from lab.scalarize import Straight, inlined, scalarize


def expanded(loop: Loop) -> Loop:
    """The loop, with elementary functions of lanes written out."""
    by_lane = loop.by_lane

    def body(equation: core.JaxprEqn) -> Straight | None:
        name = equation.primitive.name
        if name not in EXPANSIONS or equation.outvars[0] not in by_lane:
            return None
        return expansion(name, tuple(np.dtype(a.aval.dtype) for a in equation.invars))

    return replace(loop, step=loop.step.with_jaxpr(lambda jaxpr: inlined(jaxpr, body)))


@cache
def expansion(name: str, dtypes: Sequence[Any]) -> Straight:
    """An elementary function of numbers of these types, in basic operations."""
    operands = [jax.ShapeDtypeStruct((), dtype) for dtype in dtypes]
    with jax.enable_x64(any(dtype.itemsize == 8 for dtype in dtypes)):
        return scalarize(EXPANSIONS[name], *operands)
