"""Which settings a figure shows: the best one, and the line through it along one swept key."""

from typing import Any

import numpy as np
import xarray as xr

from lab.compare import best, wilson
from lab.plots.text import number, words


def success(summary: xr.Dataset) -> xr.Dataset:
    """`share`, `low` and `high` of lanes that reached the tightest target.

    Where a run has no targets: of lanes that converged.
    """
    if summary.sizes.get("target", 0):
        tightest = int(np.argmin(summary["target"].values))
        names = {"hit_share": "share", "hit_share_low": "low", "hit_share_high": "high"}
        return summary[list(names)].isel(target=tightest, drop=True).rename(names)
    share = summary["outcome_share"].sel(outcome="converged", drop=True)
    lanes = np.broadcast_to(summary["lanes"].values, share.shape)
    low, high = wilson(np.rint(share.values * lanes), lanes)
    return xr.Dataset({"share": share, "low": (share.dims, low), "high": (share.dims, high)})


def along(summary: xr.Dataset, axis: str) -> tuple[xr.Dataset, int, str]:
    """The summary along one key, the others at their best: (summary, index of the best, others).

    The last is in words, `momentum 0.9, b1 0.5`; empty if no other key is swept.
    """
    index = best(summary).index
    others = {key: place for key, place in index.items() if key != axis}
    said = [f"{words(str(key))} {number(summary[key].values[i])}" for key, i in others.items()]
    return summary.isel(others, drop=True), index.get(axis, 0), ", ".join(said)


def quantile(summary: xr.Dataset, name: str, at: float) -> np.ndarray[Any, Any]:
    """One quantile of a loss."""
    return summary[name].sel(quantile=at).values
