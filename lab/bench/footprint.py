"""The most memory that a run takes, measured in a process of its own (POSIX).

`python -m lab.bench.footprint '{"lanes": 1000000, "steps": 10}'` runs that many lanes of Rosenbrock
descent, keeps counts only, and prints the peak of its resident memory.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def measured(lanes: int, steps: int, backend: str = "auto") -> int:
    """Peak resident bytes of a child process that runs so many lanes.

    Raises:
        RuntimeError: with the child's last words, when it fails.
    """
    asked = json.dumps({"lanes": lanes, "steps": steps, "backend": backend})
    words = [sys.executable, "-m", __spec__.name, asked]
    # The child takes the lab that is running, which need not be the installed one.
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{lanes} lanes fail: {done.stderr.strip()[-2000:]}")
    return int(done.stdout)


def run(lanes: int, steps: int, backend: str) -> None:
    """Descend from so many starts, counts across them kept."""
    from lab import losses, optimizers, starts
    from lab.api import make_plan
    from lab.engine import Engine
    from lab.settings import Run

    loss = losses.rosenbrock()
    plan = make_plan(
        loss,
        optimizers.optimizer("sgd", learning_rate=1e-4),
        starts.uniform(loss.low, loss.high, lanes),
        Run(steps=steps, keep="reduced", backend=backend, gradient_below=0.0),
    )
    for _ in Engine(plan).blocks():
        pass


def peak_bytes() -> int:
    """The peak so far of this process: Linux counts in kilobytes, macOS in bytes."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main(asked: dict[str, Any]) -> None:
    """Run, and print the peak."""
    run(**asked)
    print(peak_bytes())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
