"""Whether a run fits: into memory while it runs and is analysed, and onto the disk."""

import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from lab import dataset
from lab.devices import local_devices
from lab.errors import LabError
from lab.flow import workers
from lab.plan import Plan

HOST_BYTES = 64
"""What the host needs for the numbers of a lane (setting, seed, start) of a block under way."""


def stored(plan: Plan) -> int:
    """Bytes of results, before compression."""
    specs = dataset.specs(plan).values()
    return sum(math.prod(spec.shape) * spec.dtype.itemsize for spec in specs)


def working(plan: Plan) -> int:
    """Bytes, at least, of the blocks under way: each lane's state, twice, and its results."""
    devices = local_devices()
    at_once = min(plan.layout.blocks, len(devices) * workers(devices))
    return at_once * plan.layout.capacity * (2 * plan.lane_bytes + HOST_BYTES)


def memory() -> int:
    """Bytes of this machine's memory; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def refuse_what_does_not_fit(plans: Mapping[str, Plan], folder: Path) -> None:
    """Raise LabError if memory or disk cannot hold the run, with what would help.

    Args:
        plans: the sweeps of the run, by label.
        folder: the run directory, which need not exist yet.
    """
    have, sizes = memory() or math.inf, {}
    for label, plan in plans.items():
        sizes[label] = stored(plan)
        if working(plan) > have:
            raise LabError(
                f"run.block: blocks of {math.prod(plan.layout.chunk):,} lanes of {label} need "
                f"{size_text(working(plan))} of memory, and there is {size_text(have)}; "
                "a smaller run.block needs less"
            )
        if sizes[label] > have:
            raise LabError(
                f"the results of {label} ({plan.layout.lanes:,} lanes) are "
                f"{size_text(sizes[label])}, more than the {size_text(have)} of memory; "
                f"{_advice(plan)}"
            )
    needed, free = sum(sizes.values()), shutil.disk_usage(_existing(folder)).free
    if needed > free:
        plan = next(iter(plans.values()))
        raise LabError(
            f"the results are {size_text(needed)} before compression, and {folder} has "
            f"{size_text(free)} of free disk; {_advice(plan)}, and --out DIR stores elsewhere"
        )


def _advice(plan: Plan) -> str:
    if plan.run.keep == "reduced":
        return "fewer settings need less"
    return 'run.keep = "reduced" keeps only shares and quantiles, and fewer lanes need less'


def _existing(folder: Path) -> Path:
    """The folder, or the closest one above it that there is."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def size_text(size: float) -> str:
    """`23.4 MB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} PB"
