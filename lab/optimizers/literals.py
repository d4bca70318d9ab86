"""What kind of thing a hyperparameter was given as, and how to show it in a message."""

from typing import Any

import jax
import numpy as np
import optax

from lab.optimizers.recipe import Recipe


def show(value: Any) -> str:
    """A value as the user wrote it, or what it is if that is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return repr(value)
    if isinstance(value, np.ndarray | jax.Array | list | tuple):
        flat = repr(np.asarray(value).tolist() if not isinstance(value, list) else value)
        return flat if len(flat) <= 60 else f"a list of {len(value)}"
    return f"{type(value).__name__}"


def is_transformation(given: Any) -> bool:
    """Whether it is a transformation already, or an `Optimizer`."""
    ready = isinstance(given, optax.GradientTransformation)
    return ready or isinstance(getattr(given, "recipe", None), Recipe)


def numeric_array(given: Any) -> np.ndarray | None:
    """Numbers or flags as an array of any shape, None for all else."""
    if given is None or is_transformation(given):
        return None
    if isinstance(given, jax.Array) and jax.dtypes.issubdtype(given.dtype, jax.dtypes.extended):
        return None
    try:
        array = np.asarray(given)
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind in "biuf" else None


def integer_key(key: Any) -> Any:
    """A key of a table that is a number, as TOML cannot write it."""
    try:
        return int(key)
    except ValueError:
        return key
