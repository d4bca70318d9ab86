"""The answer to a comparison: one row a contender, how their runs ended, and a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from lab import compare
from lab.table import Column, Table

LABEL = Column("label", "optimizer", "the label in the config", "")
PROBLEM = Column("problem", "loss with", "the loss's own parameters", "")
COLUMNS = (
    LABEL,
    Column(
        "setting",
        "best setting",
        "the fastest of those with which most starts reached the tightest target",
        "",
    ),
    Column("reached", "reached", "starts that reached the tightest target; 95 % interval", ""),
    Column("hit_step", "steps", "median step at which these reached it", ".0f"),
    Column(
        "ert", "ERT", "expected steps to reach it with restarts: all steps spent by hits", ".4g"
    ),
    Column("median", "median loss", "median final loss above the known minimum", ".2e"),
    Column("good_decades", "good over", "decades of the key with 0.9 of the best share", ".2f"),
    Column("failed", "failed", "runs at all settings that diverged or left the domain", "%"),
)


def summary(contenders: Mapping[str, xr.Dataset]) -> Table:
    """One row for each of these summaries (`lab.compare.summarize`), at its best setting.

    Where the loss's own parameters are swept, one row for each problem that they make.
    """
    rows = [
        row(label, problem, part)
        for label, one in contenders.items()
        for problem, part in compare.problems(one)
    ]
    several = any(row["problem"] for row in rows)
    label, *others = COLUMNS
    return Table((label, *([PROBLEM] if several else []), *others), tuple(rows))


def row(label: str, problem: str, summary: xr.Dataset) -> dict[str, Any]:
    """The numbers of one contender on one problem."""
    best = compare.best(summary)
    at = best.summary
    quartiles = {q: float(at.final_loss_quantile.sel(quantile=q)) for q in (0.25, 0.5, 0.75)}
    failed = summary.outcome_share.sel(outcome=["diverged", "left_domain"]).sum("outcome").mean()
    numbers = {
        "label": label,
        "problem": problem,
        "setting": compare.setting_text(at, best.index),
        **{name: at[name].item() for name in best.index},
        "median": quartiles[0.5],
        "lower_quartile": quartiles[0.25],
        "upper_quartile": quartiles[0.75],
        "failed": float(failed),
        "lanes": int(at.lanes),
    }
    if not at.sizes.get("target"):
        return numbers
    tightest = at.isel(target=int(np.argmin(at.target.values)))
    share, low, high = (float(tightest[f"hit_share{end}"]) for end in ("", "_low", "_high"))
    axis = compare.common_axis([summary])
    return numbers | {
        "target": float(tightest.target),
        "share": share,
        "share_low": low,
        "share_high": high,
        "reached": f"{100 * share:.1f} % ({100 * low:.1f}–{100 * high:.1f})",
        "hit_step": float(tightest.hit_step_quantile.sel(quantile=0.5)),
        "ert": float(tightest.ert),
        "good_decades": compare.good_decades(summary, axis) if axis else float("nan"),
    }


def outcomes(contenders: Mapping[str, xr.Dataset]) -> Table:
    """Shares of the outcomes over all settings, one row a contender."""
    names = [outcome.label for outcome in compare.OUTCOMES]
    rows = []
    for label, one in contenders.items():
        mean = one.outcome_share.mean([dim for dim in one.outcome_share.dims if dim != "outcome"])
        rows.append({"label": label, **dict(zip(names, mean.values.tolist(), strict=True))})
    columns = [Column(name, name.replace("_", " "), "share of all runs", "%") for name in names]
    return Table((LABEL, *columns), tuple(rows))


def verdict(table: Table) -> str:
    """What reached the target from the most starts, and what in the fewest steps."""
    problems = dict.fromkeys(row["problem"] for row in table.rows)
    said = [
        f"{problem + ': ' if problem else ''}"
        + verdict_on([row for row in table.rows if row["problem"] == problem])
        for problem in problems
    ]
    return " ".join(said)


def verdict_on(rows: Sequence[Mapping[str, Any]]) -> str:
    """The verdict on one problem."""
    rows = [row for row in rows if row.get("share")]
    if not rows:
        return "No optimizer reached the tightest target at any setting."
    most, *others = sorted(rows, key=lambda row: (-row["share"], row["ert"]))
    said = (
        f"{named(most)} came within {most['target']:g} of the lowest known loss from the most "
        f"starts: {most['reached']}, 95 % interval, median {most['hit_step']:.0f} steps."
    )
    level = [row["label"] for row in others if row["share_high"] >= most["share_low"]]
    if level:
        said += f" The intervals of {', '.join(level)} overlap this one."
    fastest = min(rows, key=lambda row: row["ert"])
    if fastest is not most:
        said += f" {named(fastest)} needs the fewest steps with restarts: {fastest['ert']:.0f} "
        said += f"on average, against {most['ert']:.0f}."
    return said


def named(row: Mapping[str, Any]) -> str:
    """`adam at learning_rate 0.1`."""
    return f"{row['label']} at {row['setting']}" if row["setting"] else str(row["label"])
