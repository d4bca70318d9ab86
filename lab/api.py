"""The lab in Python: `lab.sweep` and `lab.replay`, for notebooks and scripts."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from lab import dataset
from lab.devices import local_devices
from lab.engine import Engine
from lab.errors import Fault, SpecError
from lab.flow import Meter
from lab.losses import Loss, as_loss
from lab.optimizers import Optimizer
from lab.plan import Plan, Run
from lab.starts import Starts, as_starts


def sweep(
    loss: Loss | Callable[..., Any],
    optimizer: Optimizer,
    starts: Starts | Any,
    *,
    devices: Sequence[jax.Device] | None = None,
    meter: Meter | None = None,
    **run: Any,
) -> xr.Dataset:
    """Run an optimizer's every setting from every start, in one compiled program.

    Args:
        loss: a `lab.losses.Loss`, or any JAX function of one point.
        optimizer: from `lab.optimizer`; its arrays are the settings.
        starts: from `lab.starts`, or an array [start, dim].
        devices: where to run; by default every device of JAX's default platform.
        meter: takes the seconds of compiling, running and transferring.
        **run: the fields of `lab.settings.Run`: steps, seeds, targets, keep, precision, ...

    Returns:
        A dataset whose dimensions are the swept keys, `seed` (if there are several) and `start`;
        its variables say how each lane ended: `outcome`, `final_loss`, `best_loss`, `hit_step`,
        `final_point`, `minimum`, `steps`.

    Raises:
        SpecError: when loss, starts and run do not fit together.

    Example:
        >>> import jax.numpy as jnp, lab
        >>> adam = lab.optimizer("adam", learning_rate=jnp.geomspace(1e-3, 1, 4))
        >>> starts = lab.starts.uniform(low=[-2, -1], high=[2, 3], count=100)
        >>> data = lab.sweep(lab.losses.rosenbrock(), adam, starts, steps=200)
        >>> dict(data.final_loss.sizes)
        {'learning_rate': 4, 'start': 100}
    """
    plan = make_plan(loss, optimizer, starts, Run(**run), devices)
    results = dataset.empty(plan)
    specs = dataset.specs(plan)
    for block, arrays in Engine(plan, devices, meter).blocks():
        for name, values in arrays.items():
            dataset.put(plan, results[name].values, block, specs[name], values)
    return results


def replay(
    loss: Loss | Callable[..., Any],
    optimizer: Optimizer,
    starts: Starts | Any,
    *,
    devices: Sequence[jax.Device] | None = None,
    **run: Any,
) -> xr.Dataset:
    """Run every lane again with its whole path kept.

    Takes what `sweep` takes; every path is held in memory.

    Returns:
        A dataset with `point` (..., start, step, dim), `loss` (..., start, step) and what `sweep`
        returns, for x_0 ... x_T; a lane that ended early stays where it ended.
    """
    plan = make_plan(loss, optimizer, starts, Run(**{**run, "keep": "lanes"}), devices)
    engine = Engine(plan, devices)
    ids = np.concatenate([plan.layout.ids(block) for block in range(plan.layout.blocks)])
    ids = ids[np.lexsort(ids.T[::-1])]
    results = dataset.empty(plan)
    for name, values in engine.lanes(ids).items():
        results[name].values[...] = values.reshape(results[name].shape)
    paths = engine.replay(ids)
    shape = tuple(plan.dims.values())
    dims = (*plan.dims, "step")
    point, losses = (dataset.storable(array) for array in paths)
    results["point"] = ((*dims, "dim"), point.reshape(*shape, *point.shape[1:]))
    results["loss"] = (dims, losses.reshape(*shape, -1))
    return results


def make_plan(
    loss: Loss | Callable[..., Any],
    optimizer: Optimizer,
    starts: Starts | Any,
    run: Run,
    devices: Sequence[jax.Device] | None = None,
) -> Plan:
    """The plan of a sweep, its parts checked against each other."""
    platform = (local_devices() if devices is None else devices)[0].platform
    plan = Plan(as_loss(loss), optimizer, as_starts(starts), run, platform)
    known = plan.loss.dimension
    if known is not None and plan.dimension != known:
        message = f"{plan.dimension} coordinates, but loss {plan.loss.name!r} has {known}"
        raise SpecError([Fault(("starts",), message)])
    plan.check_loss()
    optimizer.check(plan.point, plan.loss.residual_function is not None)
    return plan
