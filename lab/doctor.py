"""`lab doctor`: what the lab runs on, what is slow or missing, and how to mend it."""

import os
import platform
import shutil
from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lab import __version__
from lab.capacity import memory, size_text
from lab.devices import cores, local_devices
from lab.rundir import processor, versions


def examination() -> RenderableType:
    """Versions, devices and memory, and under them one line for each thing to mend."""
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    for name, value in facts().items():
        table.add_row(name, Text(value))
    advice = list(complaints())
    lines = [f"- {line}" for line in advice] or ["Nothing to mend."]
    return Group(table, *map(Text, lines))


def facts() -> dict[str, str]:
    """What there is."""
    devices = local_devices()
    kinds = {f"{device.platform} ({device.device_kind})" for device in devices}
    return {
        "lab": __version__,
        "Python": platform.python_version(),
        **versions(),
        "system": f"{platform.system()} {platform.machine()}",
        "devices": f"{len(devices)} x {', '.join(sorted(kinds))}",
        "cores": str(cores()),
        "CPU kernels": processor(),
        "memory": size_text(memory()) if memory() else "unknown",
        "free disk here": size_text(shutil.disk_usage(".").free),
    }


def complaints() -> Iterator[str]:
    """What is slow or missing, each with its remedy."""
    devices = local_devices()
    if devices[0].platform == "cpu":
        if len(devices) < cores():
            yield (
                f"JAX started with {len(devices)} CPU device(s) for {cores()} cores, so "
                "sweeps use several threads on each; for one device a core unset "
                "JAX_NUM_CPU_DEVICES, or import lab before anything uses JAX."
            )
        if shutil.which("nvidia-smi"):
            yield (
                "There is an NVIDIA driver, but JAX runs on the CPU: "
                'pip install "gradient-descent-lab[cuda13]" (or cuda12 for older drivers).'
            )
    if os.environ.get("JAX_ENABLE_X64", "").lower() in ("1", "true"):
        yield "JAX_ENABLE_X64 is set; the lab follows each config's `precision` regardless of it."
    missing = [name for name, found in versions().items() if found == "missing"]
    if missing:
        yield f"Not installed: {', '.join(missing)}; pip install -r requirements.txt brings them."
    if shutil.disk_usage(".").free < 1e9:
        yield "Less than 1 GB of disk is free here: choose another place for results with --out."
