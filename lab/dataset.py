"""The labelled arrays that a sweep leaves: their dimensions, coordinates, and where blocks go."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from lab import __version__, reduce
from lab.outcome import Outcome
from lab.plan import Plan
from lab.problem import ONE
from lab.record import LANE, Variable

OUTCOME_FLAGS = {
    "flag_values": [int(outcome) for outcome in Outcome if outcome],
    "flag_meanings": " ".join(outcome.label for outcome in Outcome if outcome),
}


class Spec(NamedTuple):
    """A stored variable: its dimensions, shape, type and attributes."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    attributes: dict[str, Any]


def specs(plan: Plan) -> dict[str, Spec]:
    """Every variable that the plan's results will have."""
    if plan.run.keep == "reduced":
        return _specs(reduce.VARIABLES, _count_shapes(plan), plan, without="start")
    kept = {name: v for recorder in plan.run.recorders for name, v in recorder.variables.items()}
    return _specs(LANE | kept, _lane_shapes(plan), plan)


def coordinates(plan: Plan) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """The labels of the dimensions, and the known minima beside them."""
    loss_axes = tuple(plan.loss_axis(name) for name in plan.loss.swept)
    shape = tuple(plan.dims[axis] for axis in loss_axes)
    labels = {name: ((name,), values) for name, values in plan.axes.items()}
    for recorder in plan.run.recorders:
        labels |= {name: ((name,), values) for name, values in recorder.coordinates.items()}
    if plan.run.keep == "reduced":
        labels["bin"] = (("bin",), reduce.bin_values())
        labels["outcome"] = (("outcome",), np.array([int(outcome) for outcome in Outcome]))
    minima = plan.minima.reshape(*shape, *plan.minima.shape[1:])
    return labels | {
        "minima": ((*loss_axes, "known_minimum", "dim"), minima),
        "minimum_loss": (loss_axes, plan.minimum.reshape(shape)),
    }


def attributes(plan: Plan) -> dict[str, Any]:
    """What holds for the whole of the results: who made them, of what."""
    return {
        "loss": plan.loss.name,
        "optimizer": plan.optimizer.name,
        "label": plan.optimizer.label,
        "loss_axes": [plan.loss_axis(name) for name in plan.loss.swept],
        "minimum_known": int(plan.loss.minimum(**plan.combinations[0]) is not None),
        "start_shape": list(plan.starts.shape),
        "steps_budget": plan.run.steps,
        "seed": plan.run.seed,
        "precision": plan.run.precision,
        "lab_version": __version__,
    }


def storable(array: np.ndarray) -> np.ndarray:
    """The array in a type that files know: bfloat16 as float32, which holds it."""
    return array.astype(np.float32) if array.dtype == jnp.bfloat16 else array


def empty(plan: Plan) -> xr.Dataset:
    """The plan's dataset before any block is in it."""
    arrays = {
        name: (spec.dims, np.zeros(spec.shape, spec.dtype), spec.attributes)
        for name, spec in specs(plan).items()
    }
    return xr.Dataset(arrays, coordinates(plan), attributes(plan))


def region(plan: Plan, block: int, spec: Spec) -> tuple[slice, ...]:
    """Where a block lies in a stored variable."""
    slices = dict(zip([*plan.axes, "seed", "start"], plan.layout.region(block), strict=True))
    return tuple(slices[dim] if dim in slices else slice(None) for dim in spec.dims)


def put(plan: Plan, target: Any, block: int, spec: Spec, values: np.ndarray) -> None:
    """Write a block's lanes, or add its counts, to a stored variable (NumPy or zarr)."""
    where = region(plan, block, spec)
    sizes = (len(range(*s.indices(n))) for s, n in zip(where, spec.shape, strict=True))
    shape = tuple(sizes)
    if plan.run.keep == "reduced":
        rows = int(np.prod(shape[: len(plan.dims) - 1]))
        target[where] += values[:rows].reshape(shape)
    else:
        target[where] = values.astype(spec.dtype).reshape(shape)


def _specs(
    variables: Mapping[str, Variable],
    shapes: Mapping[str, tuple[tuple[int, ...], np.dtype]],
    plan: Plan,
    without: str = "",
) -> dict[str, Spec]:
    lane_dims = {name: size for name, size in plan.dims.items() if name != without}
    return {
        name: Spec(
            (*lane_dims, *variable.dims),
            (*lane_dims.values(), *shapes[name][0]),
            shapes[name][1],
            {"long_name": variable.long_name, "units": variable.units}
            | (OUTCOME_FLAGS if name == "outcome" else {}),
        )
        for name, variable in variables.items()
    }


def _lane_shapes(plan: Plan) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Shape and type of one lane's variables; bfloat16 is stored as float32, which holds it."""
    with plan.precision():
        problem, inputs = plan.problem(plan.fixed(0)), plan.inputs()

        lane = jax.eval_shape(problem.begin, inputs, ONE)
        found = jax.eval_shape(problem.finish, inputs, ONE, lane)
    return {
        name: (a.shape, np.dtype(np.float32) if a.dtype == jnp.bfloat16 else np.dtype(a.dtype))
        for name, a in found.items()
    }


def _count_shapes(plan: Plan) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    sizes = {name: len(values) for name, (dims, values) in coordinates(plan).items() if dims}
    sizes["known_minimum"] = plan.minima.shape[1]
    return {
        name: (tuple(sizes[dim] for dim in variable.dims), np.dtype(np.int64))
        for name, variable in reduce.VARIABLES.items()
    }
