"""Random keys and bits in scalars: Threefry, as JAX's own streams are made of.

A key is a pair of uint32. What JAX does with keys is traced on such pairs (`TRACED`), down to the
cipher itself, which is written out here in twenty rounds of add, rotate, exclusive or.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend import core
from jax.extend.random import threefry_prng_impl as threefry

from lab.scalarize.boxes import Apart, NotScalar, Scalar, apart, aval, bound, boxed, scalars

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = np.uint32(0x1BD11BDA)

add, xor = bound(lax.add), bound(lax.bitwise_xor)


def threefry2x32(equation: core.JaxprEqn, *operands: Apart) -> list[Apart]:
    """The cipher, block by block: keys (k0, k1), counters (x0, x1)."""
    shape = aval(equation.outvars[0]).shape
    flat = [scalars(np.broadcast_to(operand, shape)) for operand in operands]
    blocks = [encrypted(*place) for place in zip(*flat, strict=True)]
    return [boxed([block[half] for block in blocks], shape) for half in (0, 1)]


def encrypted(k0: Scalar, k1: Scalar, x0: Scalar, x1: Scalar) -> tuple[Scalar, Scalar]:
    """Threefry-2x32 with 20 rounds (Salmon et al., SC 2011, section 3.3)."""
    keys = (k0, k1, xor(xor(k0, k1), PARITY))
    x0, x1 = add(x0, k0), add(x1, k1)
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            x0 = add(x0, x1)
            x1 = xor(rotated(x1, rotation), x0)
        x0 = add(x0, keys[(group + 1) % 3])
        x1 = add(add(x1, keys[(group + 2) % 3]), np.uint32(group + 1))
    return x0, x1


def rotated(x: Scalar, by: int) -> Scalar:
    """The bits of a uint32 moved to the left, those that fall out put back on the right."""
    left = bound(lax.shift_left)(x, np.uint32(by))
    return bound(lax.bitwise_or)(left, bound(lax.shift_right_logical)(x, np.uint32(32 - by)))


def iota_2x32_shape(equation: core.JaxprEqn) -> list[Apart]:
    """0, 1, 2, ... as 64 bits: the higher half and the lower."""
    shape = equation.params["shape"]
    count = np.arange(math.prod(shape), dtype=np.uint64).reshape(shape)
    return [apart((count >> 32).astype(np.uint32)), apart(count.astype(np.uint32))]


def paired(equation: core.JaxprEqn, data: Apart) -> list[Apart]:
    """Keys from their data [..., 2]."""
    pairs = data.reshape(-1, 2)
    return [boxed([tuple(scalars(pair)) for pair in pairs], data.shape[:-1])]


def unpaired(equation: core.JaxprEqn, keys: Apart) -> list[Apart]:
    """The data [..., 2] of keys."""
    return [boxed([half for key in scalars(keys) for half in key], (*keys.shape, 2))]


def traced(make: Callable[..., Callable[..., Any]]) -> Callable[[core.JaxprEqn], Any]:
    """What a primitive on keys does, as a jaxpr on keys wrapped around their data."""

    def jaxpr(equation: core.JaxprEqn) -> core.ClosedJaxpr:
        key, *others = [aval(var) for var in equation.invars]
        if key.dtype != jax.random.key(0).dtype or not str(key.dtype).startswith("key<fry"):
            raise NotScalar(f"random keys of the kind {key.dtype}")
        raw = make(equation.params)

        def one(keys: Any, *rest: Any) -> Any:
            data = jax.random.key_data(keys)
            result = raw(data, *rest)
            return jax.random.wrap_key_data(result) if _gives_keys(equation) else result

        return jax.make_jaxpr(one)(
            *(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in (key, *others))
        )

    return jaxpr


def _gives_keys(equation: core.JaxprEqn) -> bool:
    return jax.dtypes.issubdtype(aval(equation.outvars[0]).dtype, jax.dtypes.prng_key)


TRACED: dict[str, Callable[[core.JaxprEqn], Any]] = {
    "random_fold_in": traced(lambda params: threefry.fold_in),
    "random_split": traced(lambda params: lambda data: threefry.split(data, params["shape"])),
    "random_bits": traced(
        lambda params: lambda data: threefry.random_bits(data, params["bit_width"], params["shape"])
    ),
}
"""Primitives that take one key, and the jaxpr that does the same to its data."""

RULES: dict[str, Callable[..., list[Apart]]] = {
    "threefry2x32": threefry2x32,
    "iota_2x32_shape": iota_2x32_shape,
    "random_wrap": paired,
    "random_unwrap": unpaired,
}
