"""From lanes to answers: shares with their uncertainty, quantiles, expected running times.

Everything here takes the dataset of one optimizer, of lanes or of counts across starts
(`keep = "reduced"`), and pools starts and seeds, so what is left has the swept keys as dimensions.
"""

import itertools
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from lab.outcome import Outcome

QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
GOOD = 0.9
"""A setting is good when its success share is at least this much of the best setting's."""

OUTCOMES = [outcome for outcome in Outcome if outcome != Outcome.RUNNING]


def wilson(
    hits: Int[np.ndarray, "..."], lanes: Int[np.ndarray, "..."], z: float = 1.959963984540054
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    r"""The Wilson score interval of a share p = k/n, 95 % by default.

    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) (Wilson, J. American Statistical
    Association 22, 1927, p. 209). Unlike p +- z s it stays within 0 and 1, and is not of width 0
    when all or no lanes succeed.
    """
    n = np.maximum(lanes, 1)
    p = hits / n
    middle = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def expected_running_time(
    work: Float[np.ndarray, "..."], hits: Int[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """Expected steps until a target with restarts: all steps spent, by the number of hits.

    Infinite where no lane hit (Hansen et al., COCO, 2021, section 4.1, "average runtime").
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(hits > 0, np.asarray(work, np.float64) / np.maximum(hits, 1), np.inf)


def summarize(data: xr.Dataset) -> xr.Dataset:
    """What the lanes of each setting came to.

    Args:
        data: the results of one optimizer, as `lab.sweep` gives them.

    Returns:
        Over the swept keys: `lanes`; `outcome_share`; `final_loss_quantile` and
        `best_loss_quantile`, of the excess over the known minimum, where a lane that diverged or
        left the domain counts as infinite; `hit_share` of each target with its 95 % Wilson
        interval `hit_share_low`, `hit_share_high`; `hit_step_quantile` among the lanes that hit;
        `ert`, the expected running time; `minimum_share` of each known minimum.
    """
    pooled = _from_lanes(data) if "start" in data.dims else _from_counts(data)
    low, high = wilson(pooled["hits"].values, pooled["lanes"].values[..., None])
    lanes = pooled["lanes"]
    hits = pooled["hits"]
    summary = xr.Dataset(
        {
            "lanes": lanes,
            "outcome_share": pooled["outcomes"] / lanes,
            "final_loss_quantile": pooled["final_loss_quantile"],
            "best_loss_quantile": pooled["best_loss_quantile"],
            "hit_share": hits / lanes,
            "hit_share_low": (hits.dims, low),
            "hit_share_high": (hits.dims, high),
            "hit_step_quantile": pooled["hit_step_quantile"],
            "ert": (hits.dims, expected_running_time(pooled["work"].values, hits.values)),
            "minimum_share": pooled["minima"] / lanes,
        },
        coords={"outcome": [outcome.label for outcome in OUTCOMES]},
        attrs=dict(data.attrs),
    )
    for name in data.coords:
        if name not in summary.coords and set(data[name].dims) <= {*summary.dims, "dim"}:
            summary = summary.assign_coords({name: data[name]})
    return summary


@dataclass(frozen=True)
class Best:
    """The best setting of an optimizer.

    Attributes:
        index: its place along each swept key.
        summary: the summary at it.
        criterion: what it is the best by, in words.
    """

    index: Mapping[str, int]
    summary: xr.Dataset
    criterion: str


def best(summary: xr.Dataset) -> Best:
    """The fastest of the settings that most lanes reach the tightest target with.

    Candidates are the setting of the highest share and all whose share lies within its 95 %
    interval; among them the lowest expected running time wins. Where no setting reached the
    target, it is the one of the lowest median final loss. A summary must be of one problem (see
    `problems`): a loss's own parameters are not the optimizer's to choose.
    """
    tightest = int(np.argmin(summary.target.values)) if summary.sizes.get("target") else None
    if tightest is not None and float(summary.hit_share.isel(target=tightest).max()) > 0:
        at = summary.isel(target=tightest)
        share, low = at.hit_share.values.ravel(), at.hit_share_low.values.ravel()
        candidate = share >= low[np.argmax(share)]
        place = int(np.argmin(np.where(candidate, at.ert.values.ravel(), np.inf)))
        criterion = f"most starts within {summary.target.values[tightest]:g} of the minimum"
    else:
        place = int(np.argmin(summary.final_loss_quantile.sel(quantile=0.5).values.ravel()))
        criterion = "lowest median final loss"
    dims = summary.lanes.dims
    where = np.unravel_index(place, summary.lanes.shape) if dims else ()
    index = {dim: int(i) for dim, i in zip(dims, where, strict=True)}
    return Best(index, summary.isel(index), criterion)


def problems(summary: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """The summary cut by the loss's own swept parameters: each problem in words, and its part."""
    axes = [axis for axis in summary.attrs.get("loss_axes", []) if axis in summary.dims]
    for place in itertools.product(*(range(summary.sizes[axis]) for axis in axes)):
        part = summary.isel(dict(zip(axes, place, strict=True)))
        yield setting_text(part, axes), part


def common_axis(summaries: Iterable[xr.Dataset]) -> str | None:
    """The hyperparameter to compare along: the learning rate, else the first that is swept."""
    swept = [
        str(dim)
        for summary in summaries
        for dim in summary.lanes.dims
        if dim not in summary.attrs.get("loss_axes", [])
    ]
    return "learning_rate" if "learning_rate" in swept else next(iter(swept), None)


def setting_text(at: xr.Dataset, names: Iterable[Hashable]) -> str:
    """`learning_rate 0.01, momentum 0.9`: the values of these swept keys, at one setting."""
    names = list(names)
    values = [at[name].item() for name in names]
    words = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
    return ", ".join(f"{name} {word}" for name, word in zip(names, words, strict=True))


def good_decades(summary: xr.Dataset, axis: str = "learning_rate") -> float:
    """How many decades of `axis` are good: the success share at least `GOOD` of the best one.

    Other swept keys stand at their best. Each good value counts for the stretch of the axis that
    is nearest to it on a logarithmic scale, so gaps between good regions do not count.
    """
    values = summary[axis].values
    if summary.sizes.get("target", 0) == 0 or len(values) < 2 or np.any(values <= 0):
        return 0.0
    others = {dim: i for dim, i in best(summary).index.items() if dim != axis}
    share = summary.hit_share.isel(others).isel(target=int(np.argmin(summary.target.values)))
    good = (share.values >= GOOD * share.values.max()) & (share.values > 0)
    order = np.argsort(values)
    logs = np.log10(values[order])
    edges = np.concatenate([logs[:1], (logs[1:] + logs[:-1]) / 2, logs[-1:]])
    return float(np.sum(np.diff(edges)[good[order]]))


def _from_lanes(data: xr.Dataset) -> xr.Dataset:
    """The pooled numbers of single lanes."""
    pool = [dim for dim in ("seed", "start") if dim in data.dims]
    lanes = int(np.prod([data.sizes[dim] for dim in pool]))
    failed = data.outcome.isin([Outcome.DIVERGED, Outcome.LEFT_DOMAIN])
    final = (data.final_loss - data.minimum_loss).where(~failed, np.inf)
    hit = data.hit_step >= 0
    steps = data.hit_step.where(hit)
    known = np.arange(data.minima.sizes["known_minimum"])
    count = xr.full_like(data.outcome.isel(dict.fromkeys(pool, 0), drop=True), lanes, dtype=int)
    return xr.Dataset(
        {
            "lanes": count,
            "outcomes": _count(data.outcome, [int(o) for o in OUTCOMES], "outcome", pool),
            "minima": _count(data.minimum, list(known), "known_minimum", pool),
            "final_loss_quantile": quantiles(final, pool),
            "best_loss_quantile": quantiles(data.best_loss - data.minimum_loss, pool),
            "hits": hit.sum(pool),
            "hit_step_quantile": quantiles(steps, pool),
            "work": xr.where(hit, data.hit_step, data.steps).sum(pool, dtype=np.int64),
        }
    )


def _from_counts(data: xr.Dataset) -> xr.Dataset:
    """The pooled numbers of counts across starts."""
    pool = [dim for dim in ("seed",) if dim in data.dims]
    counts = data.sum(pool)
    ended = counts.outcome_count.sel(outcome=[int(o) for o in OUTCOMES]).drop_vars("outcome")
    return xr.Dataset(
        {
            "lanes": counts.lane_count,
            "outcomes": ended,
            "minima": counts.minimum_count,
            "final_loss_quantile": quantiles_of_counts(counts.final_loss_count),
            "best_loss_quantile": quantiles_of_counts(counts.best_loss_count),
            "hits": counts.hit_count,
            "hit_step_quantile": quantiles_of_counts(counts.hit_step_count),
            "work": counts.work,
        }
    ).drop_vars(["bin", "outcome"], errors="ignore")


def quantiles(values: xr.DataArray, pool: list[str]) -> xr.DataArray:
    """The smallest value that at least a share q of the values do not exceed, for `QUANTILES`.

    An order statistic, never an interpolation: it stays right among infinities. NaN is missing;
    where all is missing, the quantile is NaN.
    """
    kept = [dim for dim in values.dims if dim not in pool]
    shape = [values.sizes[dim] for dim in kept], [values.sizes[dim] for dim in pool]
    flat = values.transpose(*kept, *pool).values.reshape(*shape[0], int(np.prod(shape[1])))
    ordered = np.sort(flat.astype(np.float64), axis=-1)  # NaN last
    present = np.sum(~np.isnan(ordered), axis=-1, keepdims=True)
    place = np.clip(np.ceil(QUANTILES * present).astype(int) - 1, 0, None)
    found = np.take_along_axis(ordered, place, axis=-1)
    return xr.DataArray(found, dims=[*kept, "quantile"], coords={"quantile": QUANTILES})


def quantiles_of_counts(counts: xr.DataArray) -> xr.DataArray:
    """The same from a histogram over `bin`, to the width of a bin (3 % either way)."""
    cumulative = counts.cumsum("bin").transpose(..., "bin").values[..., None, :]
    total = cumulative[..., -1:]
    reached = cumulative >= np.maximum(np.ceil(QUANTILES[:, None] * total), 1)
    values = counts["bin"].values[np.argmax(reached, axis=-1)]
    found = np.where(total[..., 0] > 0, values, np.nan)
    kept = [dim for dim in counts.dims if dim != "bin"]
    return xr.DataArray(found, dims=[*kept, "quantile"], coords={"quantile": QUANTILES})


def _count(values: xr.DataArray, among: list[int], dim: str, pool: list[str]) -> xr.DataArray:
    """How many of the pooled values equal each of `among`."""
    each = [(values == value).sum(pool) for value in among]
    if not each:
        return values.isel(dict.fromkeys(pool, 0), drop=True).expand_dims({dim: 0}, axis=-1)
    return xr.concat(each, dim).transpose(..., dim)
