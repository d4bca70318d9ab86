"""optax transformations made fit for a compiled loop that always passes the same extras.

Three things stand between optax and such a loop. Some transformations refuse extra arguments that
they do not use. Some return a state of other dtypes than the one that they began with, which no
loop can carry. And optax's own arithmetic (`b1 ** count`) does not pass strict dtype promotion.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, PyTree

Transformation: TypeAlias = optax.GradientTransformationExtraArgs


def python_like(value: Any) -> Array:
    """The scalar as a weakly typed array: it promotes as the Python number would.

    A traced `b1` then leaves float32 state float32, and `(1 - b1) * g` bfloat16, exactly as
    `optax.adam(b1=0.9)` does.
    """
    value = jnp.asarray(value)
    return lax.convert_element_type_p.bind(
        value, new_dtype=value.dtype, weak_type=True, sharding=None
    )


def forgiving(tx: optax.GradientTransformation) -> Transformation:
    """The same transformation, deaf to the extra arguments that its update does not name."""
    tx = optax.with_extra_args_support(tx)
    parameters = inspect.signature(tx.update).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return tx
    named = {p.name for p in parameters}

    def update(updates: Any, state: Any, params: Any = None, **extras: Any) -> Any:
        used = {name: extra for name, extra in extras.items() if name in named}
        return tx.update(updates, state, params, **used)

    return Transformation(tx.init, update)


def steady(tx: Transformation) -> Transformation:
    """The same transformation, whose state keeps its dtypes from `init` through every `update`."""

    def init(params: PyTree) -> PyTree:
        with jax.numpy_dtype_promotion("standard"):
            return _settled(tx, params)

    def update(updates: PyTree, state: PyTree, params: PyTree = None, **extras: Any) -> Any:
        with jax.numpy_dtype_promotion("standard"):
            updates, state = tx.update(updates, state, params, **_served(extras))
        return updates, jax.tree.map(_strong, state)

    return Transformation(init, update)


def pretended(x: PyTree, residuals: bool = True) -> dict[str, Any]:
    """Extra arguments like those of a real run, for abstract trials at the point x."""

    def value_fn(y: PyTree) -> Array:
        return jnp.asarray(sum(jnp.sum(leaf * leaf) for leaf in jax.tree.leaves(y)))

    gradient = jax.grad(value_fn)
    return {
        "value": value_fn(x),
        "grad": gradient(x),
        "value_fn": value_fn,
        "obj_fn": value_fn,
        "grad_fn": gradient,
        "residual_fn": (lambda y: ravel_pytree(y)[0]) if residuals else None,
    }


def _settled(tx: Transformation, params: PyTree) -> PyTree:
    """The first state, in the dtypes that updates give it."""

    def after(x: PyTree, state: PyTree) -> PyTree:
        return tx.update(x, state, x, **_served(pretended(x)))[1]

    state = jax.tree.map(_strong, tx.init(params))
    for _ in range(3):
        later = jax.eval_shape(after, params, state)
        if jax.tree.all(jax.tree.map(lambda a, b: a.dtype == b.dtype, state, later)):
            break
        state = jax.tree.map(_as, state, later)
    return state


def _as(leaf: Array, like: jax.ShapeDtypeStruct) -> Array:
    return leaf if leaf.dtype == like.dtype else leaf.astype(like.dtype)


def _strong(leaf: Any) -> Array:
    """The same array, strongly typed: a loop tells `0.0` from a float32."""
    leaf = jnp.asarray(leaf)
    weak = getattr(leaf, "weak_type", False)  # random keys have none
    return lax.convert_element_type(leaf, leaf.dtype) if weak else leaf


def _served(extras: Mapping[str, Any]) -> dict[str, Any]:
    """The extras in the forms that optax's transformations call for.

    Line searches raise if extras remain that `value_fn` does not name; `sam` calls `grad_fn` with
    the number of its inner step.
    """
    served = dict(extras)
    if "value_fn" in extras:
        served["value_fn"] = _naming_extras(extras["value_fn"])
    if "grad_fn" in extras:
        served["grad_fn"] = lambda x, *_: extras["grad_fn"](x)
    return served


def _naming_extras(function: Callable[[PyTree], Array]) -> Callable[..., Array]:
    def value_fn(
        x: PyTree, obj_fn: Any = None, grad_fn: Any = None, residual_fn: Any = None
    ) -> Array:
        return function(x)

    return value_fn
