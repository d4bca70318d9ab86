"""PyTorch as written: a loop of eager steps over all lanes, gradients by autograd."""

import importlib.util

import numpy as np

from lab.peers.task import Contender, Ends, Task


def reason_missing(task: Task) -> str | None:
    """It wants torch, and for a GPU torch with CUDA."""
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed"
    import torch

    if task.platform != "cpu" and not torch.cuda.is_available():
        return "torch has no CUDA"
    return task.lacks(recording=False, platforms=("cpu", "gpu", "cuda"))


def prepare(task: Task) -> Contender:
    """Nothing to compile; the starts are laid out by coordinate, and two steps taken."""
    import torch

    from lab.peers import torch_steps

    torch.set_num_threads(task.cores)
    start = torch.tensor(np.ascontiguousarray(task.points().T), device=torch_steps.device(task))
    gradient = torch_steps.gradient(task)
    update = torch_steps.update(task.optimizer, task.learning_rate)

    def run(steps: int = task.steps) -> Ends:
        torch.set_num_threads(task.cores)
        with torch.no_grad():
            x, m, v = start, torch.zeros_like(start), torch.zeros_like(start)
            for t in range(1, steps + 1):
                x, m, v = update(x, m, v, gradient(x), *torch_steps.corrections(t))
        return {"final_point": x.cpu().numpy().T}

    run(2)
    return run
