"""Freezes the paths of torch.optim's optimizers into `torch_trajectories.json`.

Run with a Python that has torch (not one of the lab's requirements):

    python tests/oracles/torch_trajectories.py

Float64 (as the default too: NAdam keeps the product of its momenta in the default dtype), one
thread, gradients by torch's autograd; points x_0 ... x_50.
"""

import json
import platform
from pathlib import Path

import torch

STEPS = 50
STARTS = {"rosenbrock": [-1.2, 1.0], "quadratic": [1.0, -2.0]}

OPTIMIZERS = {
    "sgd": ("SGD", {"lr": 5e-4}),
    "sgd_weight_decay": ("SGD", {"lr": 5e-4, "weight_decay": 0.1}),
    "momentum": ("SGD", {"lr": 2e-4, "momentum": 0.9}),
    "nesterov": ("SGD", {"lr": 2e-4, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"lr": 0.02}),
    "adam_weight_decay": ("Adam", {"lr": 0.02, "weight_decay": 0.1}),
    "adamw": ("AdamW", {"lr": 0.02, "weight_decay": 0.1}),
    "amsgrad": ("Adam", {"lr": 0.02, "betas": [0.9, 0.9], "amsgrad": True}),
    "adagrad": ("Adagrad", {"lr": 0.1, "eps": 0.1, "initial_accumulator_value": 0.1}),
    "adagrad_eps0": ("Adagrad", {"lr": 0.1, "eps": 0.0, "initial_accumulator_value": 0.1}),
    "rmsprop": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 0.1}),
    "rmsprop_centered": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 0.1, "centered": True}),
    "rmsprop_momentum": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 0.1, "momentum": 0.8}),
    "adadelta": ("Adadelta", {"lr": 1.0, "rho": 0.9, "eps": 1e-4}),
    "adamax": ("Adamax", {"lr": 0.02}),
    "nadam": ("NAdam", {"lr": 0.02}),
    "nadam_settled": ("NAdam", {"lr": 0.02, "momentum_decay": 1e5}),
    "radam": ("RAdam", {"lr": 5e-4, "eps": 0.1}),
    "radam_eps0": ("RAdam", {"lr": 5e-4, "eps": 0.0}),
    "rprop": ("Rprop", {"lr": 0.01, "etas": [0.5, 1.2], "step_sizes": [1e-6, 50.0]}),
    "rprop_clipped": ("Rprop", {"lr": 0.01, "etas": [0.5, 1.2], "step_sizes": [5e-3, 0.05]}),
}


def rosenbrock(x):
    """(1 - x)^2 + 100 (y - x^2)^2."""
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


def quadratic(x):
    """(x^2 + 10 y^2) / 2 + x y."""
    return 0.5 * (x[0] ** 2 + 10.0 * x[1] ** 2) + x[0] * x[1]


def path(name, hyperparameters, loss, start):
    """The points that the optimizer visits, the start included."""
    x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([x], **hyperparameters, foreach=False)
    points = [x.tolist()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
        points.append(x.tolist())
    return points


def main():
    """Writes the file beside this script."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    losses = {"rosenbrock": rosenbrock, "quadratic": quadratic}
    frozen = {
        "source": "torch.optim, by tests/oracles/torch_trajectories.py",
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "dtype": "float64",
        "steps": STEPS,
        "losses": {name: loss.__doc__ for name, loss in losses.items()},
        "runs": {},
    }
    for label, (name, given) in OPTIMIZERS.items():
        paths = {n: path(name, given, loss, STARTS[n]) for n, loss in losses.items()}
        frozen["runs"][label] = {"optimizer": name, "hyperparameters": given, "paths": paths}
    text = json.dumps(frozen, indent=1)
    Path(__file__).with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
