"""optimistix.GradientDescent under vmap, made to take every step: it has plain descent only."""

import importlib.util

import jax
import numpy as np
from jaxtyping import Array, Float

from lab.peers.task import Contender, Ends, Task


def reason_missing(task: Task) -> str | None:
    """It wants optimistix; the other optimizers it would only borrow from optax."""
    if importlib.util.find_spec("optimistix") is None:
        return "optimistix is not installed"
    if task.optimizer != "sgd":
        return f"has no {task.optimizer} of its own"
    return task.lacks(recording=False, platforms={device.platform for device in jax.devices()})


def prepare(task: Task) -> Contender:
    """Compile for the task's starts; tolerances of 0 keep it from ending early."""
    import optimistix

    solver = optimistix.GradientDescent(task.learning_rate, rtol=0.0, atol=0.0)

    def descend(x: Float[Array, " dim"]) -> Float[Array, " dim"]:
        return optimistix.minimise(
            lambda x, _: task.lab_loss(x), solver, x, max_steps=task.steps + 1, throw=False
        ).value

    with jax.enable_x64(task.precision == "float64"):
        starts = jax.device_put(task.points(), jax.devices()[0])
        compiled = jax.jit(jax.vmap(descend)).lower(starts).compile()

    def run() -> Ends:
        return {"final_point": np.asarray(compiled(starts))}

    return run
