"""What have areas to do with probability: events, expectations, averages and ROC curves?"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import jax
import numpy as np
import xarray as xr
from jax.scipy.stats import cauchy, norm
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus import probability
from lab.calculus.integrals import adaptive_simpson, over_the_line
from lab.check import Check
from lab.config.intervals import Interval
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.table import Column, Table

CHAINS: dict[str, Callable[..., Any]] = {"normal": jax.random.normal, "Cauchy": jax.random.cauchy}
QUARTILES = {"normal": float(norm.ppf(0.75)), "Cauchy": float(cauchy.ppf(0.75))}
CELLS = (0.25, 0.5, 0.75)


class Mixture(config.Section):
    """A weighted sum of normal densities."""

    weights: tuple[config.Positive, ...] = Field(min_length=1, description="They add up to 1.")
    means: tuple[config.Finite, ...] = Field(description="One for each weight.")
    deviations: tuple[config.Positive, ...] = Field(description="One for each weight.")

    @model_validator(mode="after")
    def _matching(self) -> Self:
        faults = [
            Fault((key,), f"must have {len(self.weights)} values, as many as weights")
            for key in ("means", "deviations")
            if len(getattr(self, key)) != len(self.weights)
        ]
        if abs(sum(self.weights) - 1) > 1e-12:
            faults.append(Fault(("weights",), f"must add up to 1, not {sum(self.weights):g}"))
        if faults:
            raise SpecError(faults)
        return self

    @property
    def parts(self) -> tuple[tuple[float, ...], ...]:
        """Weights, means and deviations."""
        return self.weights, self.means, self.deviations


class Config(config.ExperimentConfig):
    """The density and the event, the chains, and the scores."""

    precision: Literal["float64"] = "float64"
    mixture: Mixture
    event: Interval = Field(description="The values whose probability is asked for.")
    draws: config.Side = Field(1_000_000, description="Random numbers from the mixture.")
    chains: config.Side = Field(20_000, description="Running means of each kind.")
    stops: tuple[config.Count, ...] = Field(min_length=3, description="Draws in a mean, rising.")
    paths: config.Count = Field(4, le=8, description="Running means that are drawn.")
    scores: config.Side = Field(4000, description="Scores of each class.")
    separation: config.Positive = Field(1.5, description="Distance of the classes' mean scores.")


def compute(config: Config, session: Session) -> None:
    """All areas, the running means, and the ROC curve."""
    session.save("_mixture", _mixture(config, session))
    for place, name in enumerate(CHAINS):
        session.save(f"_chains/{name}", _chains(config, session, place, name))
    session.save("_roc", _roc(config, session))


def _mixture(config: Config, session: Session) -> xr.Dataset:
    parts, ends = config.mixture.parts, np.array(config.event)
    centre, wide = np.array(parts[1]), 4 * max(parts[2])
    x = np.linspace(centre.min() - wide, centre.max() + wide, 401)

    def density(x: Any) -> Any:
        return probability.mixture_density(x, *parts)

    def areas(a: Any, b: Any) -> list[Any]:
        everywhere = [over_the_line(f) for f in (density, lambda x: x * density(x))]
        one = np.ones((), a.dtype)
        found = [adaptive_simpson(density, a, b, 1e-12)]
        found += [adaptive_simpson(f, -one, one, 1e-12) for f in everywhere]
        return [*found, probability.mixture_area(a, b, *parts)]

    event, total, mean, exact = session.batched(areas, ends[:1], ends[1:])
    keys = np.arange(config.draws)
    drawn = session.batched(partial(_draw, config.seed, parts), keys)
    inside = (drawn > ends[0]) & (drawn < ends[1])
    return xr.Dataset(
        {
            "density": ("x", session.batched(density, x)),
            "event": event[0][0],
            "panels": event[1][0],
            "total": total[0][0],
            "mean": mean[0][0],
            "exact": exact[0],
            "share": inside.mean(),
            "sample_mean": drawn.mean(),
        },
        {"x": x},
        {"low": ends[0], "high": ends[1], "draws": config.draws},
    )


def _draw(seed: int, parts: Any, index: Any) -> Any:
    key = jax.random.fold_in(jax.random.key(seed), index)
    return probability.mixture_sample(key, *parts)


def _chains(config: Config, session: Session, place: int, name: str) -> xr.Dataset:
    stops = np.array(config.stops)

    def means(index: Any) -> Any:
        key = jax.random.fold_in(jax.random.key(config.seed + 1 + place), index)
        return probability.chain_means(CHAINS[name], key, stops)

    found = session.batched(means, np.arange(config.chains), block=1 << 16)
    return xr.Dataset(
        {
            "quartile": (("quantile", "draws"), np.quantile(found, CELLS, axis=0)),
            "path": (("chain", "draws"), found[: config.paths]),
            "moved": np.mean(np.abs(found[:, -1] - found[:, -2]) > 0.1),
        },
        {"quantile": list(CELLS), "draws": stops},
        {"chains": config.chains},
    )


def _roc(config: Config, session: Session) -> xr.Dataset:
    random = np.random.default_rng(config.seed)
    positive = random.normal(config.separation, 1, config.scores)
    negative = random.normal(0, 1, config.scores)
    found: dict[str, Any] = {}
    for name, digits in (("exact", 15), ("rounded", 0)):
        p, n = np.round(positive, digits), np.round(negative, digits)
        false, true = session.batched(probability.roc_curve, p[None], n[None])
        area = session.batched(probability.area_under, false, true)[0]
        won = session.batched(lambda score, n=n: probability.wins(score, n), p)
        found |= {
            f"{name}_false": ("threshold", false[0]),
            f"{name}_true": ("threshold", true[0]),
            f"{name}_area": area,
            f"{name}_share": won.sum() / len(p) / len(n),
        }
    attrs = {"separation": config.separation, "scores": config.scores}
    return xr.Dataset(found, attrs=attrs)


def _spread(one: xr.Dataset) -> np.ndarray:
    """Half the distance of the quartiles, at every stop."""
    return ((one.quartile[2] - one.quartile[0]) / 2).values


def _chain(data: xr.DataTree, name: str) -> xr.Dataset:
    return data[f"_chains/{name}"].to_dataset()


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Areas against distribution functions, means against laws, the curve against pairs."""
    one = data["_mixture"].to_dataset()
    weights, means, deviations = (np.array(part) for part in config.mixture.parts)
    exact, mean = float(one.exact), float(weights @ means)
    variance = float(weights @ (deviations**2 + (means - mean) ** 2))
    normal = "the normal distribution function"
    four = 4 / math.sqrt(config.draws)  # standard errors
    made = [
        Check("area of the event under the density", exact, float(one.event), 1e-11, normal),
        Check("area under the whole density", 1, float(one.total), 1e-10, "definition"),
        Check("expectation, an area", mean, float(one["mean"]), 1e-10, "sum of weights x means"),
        Check("share of draws in the event", exact, float(one.share),
              four * math.sqrt(exact * (1 - exact)), normal + ", within 4 standard errors"),
        Check("mean of draws", mean, float(one.sample_mean), four * math.sqrt(variance),
              "law of large numbers, within 4 standard errors"),
    ]  # fmt: skip
    return made + _chain_checks(data) + _roc_checks(data)


def _chain_checks(data: xr.DataTree) -> list[Check]:
    made = []
    for name, quartile in QUARTILES.items():
        one = _chain(data, name)
        n = one.draws.values
        law = quartile / (np.sqrt(n) if name == "normal" else np.ones(len(n)))
        # Relative standard error of half the distance of quartiles: 1.17 and 1.57 / sqrt(chains).
        close = 6.4 / math.sqrt(one.attrs["chains"])
        ratio = _spread(one) / law
        worst = float(ratio[np.argmax(np.abs(ratio - 1))])
        source = "a mean of n draws is " + (
            "normal with deviation 1/sqrt(n)" if name == "normal" else "a Cauchy number again"
        )
        made.append(Check(f"{name}: worst spread of running means over the law", 1, worst, close,
                          source + ", within 4 standard errors"))  # fmt: skip
        slope = float(np.polyfit(np.log(n), np.log(_spread(one)), 1)[0])
        expected = -0.5 if name == "normal" else 0.0
        made.append(Check(f"{name}: slope of the spread", expected, slope, 0.02, source))
    return made


def _roc_checks(data: xr.DataTree) -> list[Check]:
    roc = data["_roc"].to_dataset()
    told = "Bamber 1975: the area is Mann and Whitney's U over the number of pairs"
    made = [
        Check(f"ROC area, {name} scores", float(roc[f"{name}_share"]), float(roc[f"{name}_area"]),
              1e-12, told)
        for name in ("exact", "rounded")
    ]  # fmt: skip
    area = float(norm.cdf(roc.attrs["separation"] / math.sqrt(2)))
    close = 4 * float(np.sqrt(area * (1 - area) / roc.attrs["scores"]))
    told = "Phi(separation / sqrt(2)), within 4 standard errors (at most sqrt(A (1 - A) / n))"
    made.append(Check("ROC area of two normal classes", area, float(roc.exact_area), close, told))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row an area."""
    columns = (
        Column("what", "what", "what is measured", ""),
        Column("area", "as an area", "by quadrature, or along a curve", ".6f"),
        Column("sample", "from draws", "by counting or averaging", ".6f"),
    )
    one, roc = data["_mixture"].to_dataset(), data["_roc"].to_dataset()
    event = f"P({one.attrs['low']:g} < x < {one.attrs['high']:g})"
    rows = [
        {"what": event, "area": float(one.event), "sample": float(one.share)},
        {"what": "all of the density", "area": float(one.total)},
        {"what": "expectation", "area": float(one["mean"]), "sample": float(one.sample_mean)},
        {"what": "under the ROC curve", "area": float(roc.exact_area),
         "sample": float(roc.exact_share)},
        {"what": "the same, rounded scores", "area": float(roc.rounded_area),
         "sample": float(roc.rounded_share)},
    ]  # fmt: skip
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """The event, and what does not settle."""
    rows, chain = summary(data).rows, _chain(data, "Cauchy")
    return (
        f"{rows[0]['what']} is {rows[0]['area']:.5f}; means of {int(chain.draws[-1])} Cauchy draws "
        f"are spread as widely as single draws (half the distance of quartiles "
        f"{_spread(chain)[-1]:.3f}); the ROC area {rows[3]['area']:.4f} is the share of pairs "
        "that are ranked rightly."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The density, the running means, and the ROC curve."""
    return {
        "probability_area": partial(density, data["_mixture"].to_dataset()),
        "running_means": partial(running, {name: _chain(data, name) for name in CHAINS}),
        "roc_area": partial(roc, data["_roc"].to_dataset()),
    }


def density(one: xr.Dataset) -> plots.Figure:
    """The mixture's density with the event's area."""
    x, y = one.x.values, one.density.values
    low, high = one.attrs["low"], one.attrs["high"]
    within = np.concatenate([[low], x[(x > low) & (x < high)], [high]])
    top, mean = np.interp(within, x, y), float(one["mean"])
    panel = plots.Panel(
        [
            plots.Area(x=within, low=0 * within, high=top, label="the event"),
            plots.Line(x=x, y=y, label="density", tone=0),
            plots.Guide(x=mean, label="expectation"),
        ],
        title=f"P({low:g} < x < {high:g}) = {float(one.event):.5f}",
        note=f"area under the whole curve {float(one.total):.6f}, expectation {mean:.4f}",
        x="x",
        y="probability density",
        xlim=(x[0], x[-1]),
        ylim=(0, 1.08 * y.max()),
    )
    return plots.chart(
        "The probability of an event is an area under the density",
        [panel],
        caption=f"The shaded area is the event's probability; of {one.attrs['draws']:,} random "
        f"draws, a share of {float(one.share):.5f} fell into it.",
        alt=f"A density, shaded from {low:g} to {high:g}; the area is {float(one.event):.5f}, "
        f"and the expectation {mean:.4f}.",
    )


def running(found: dict[str, xr.Dataset]) -> plots.Figure:
    """Running means of single chains over the quartiles of all of them."""
    ends = {name: _spread(one)[-1] for name, one in found.items()}
    draws = int(next(iter(found.values())).draws[-1])
    chains = next(iter(found.values())).attrs["chains"]
    return plots.chart(
        "Averages settle where there is an expectation, and nowhere else",
        [_running(name, one) for name, one in found.items()],
        caption=f"Thin lines: running means of single chains. Band: the middle half of {chains:,} "
        "chains. A Cauchy number has no expectation; its means stay as wide as one draw.",
        alt=f"After {draws} draws the middle half of the means of normal numbers is within "
        f"{ends['normal']:.4f} of zero, that of Cauchy numbers within {ends['Cauchy']:.3f}.",
    )


def _running(name: str, one: xr.Dataset) -> plots.Panel:
    n, (low, middle, high) = one.draws.values, one.quartile.values
    marks: list[plots.Mark] = [
        plots.Line(x=n, y=path, label="single chains", tone="muted", width=1.3)
        for path in one.path.values
    ]
    band = plots.Line(x=n, y=middle, band=(low, high), label="median and middle half", tone=0)
    return plots.Panel(
        [*marks, band],
        title=f"{name} draws",
        note=f"middle half at the end: ±{_spread(one)[-1]:.3f}",
        x="draws in the mean n",
        y="running mean",
        scales=("log", "linear"),
        xlim=(n[0], n[-1]),
        ylim=(-3.0, 3.0),
    )


def roc(one: xr.Dataset) -> plots.Figure:
    """The ROC curve, exact and of rounded scores, with the area under it."""
    panels = []
    for name in ("exact", "rounded"):
        x, y = one[f"{name}_false"].values, one[f"{name}_true"].values
        kept = np.unique(np.linspace(0, len(x) - 1, 400).round().astype(int))
        if name == "rounded":
            kept = np.unique(np.stack([x, y]), axis=1, return_index=True)[1]
        area, share = float(one[f"{name}_area"]), float(one[f"{name}_share"])
        panels.append(
            plots.Panel(
                [
                    plots.Area(x=x[kept], low=0 * x[kept], high=y[kept], label="area", tone=0),
                    plots.Line(x=x[kept], y=y[kept], label="ROC curve", tone=0,
                               marked=int(name == "rounded")),
                    plots.Guide(at=(0.0, 0.0), slope=1.0, label="guessing"),
                ],
                title=f"{name} scores",
                note=f"area {area:.5f}, pairs {share:.5f}",
                x="rate of false alarms",
                y="rate of true alarms",
                xlim=(0.0, 1.0),
                ylim=(0.0, 1.0),
                equal=True,
            )
        )  # fmt: skip
    return plots.chart(
        "The area under a ROC curve is a probability",
        panels,
        caption="One point of the curve is one threshold. The area is the share of pairs, one of "
        "each class, in which the positive one scores higher (equal scores count half).",
        alt=f"Two ROC curves with areas {float(one.exact_area):.4f} and, of scores rounded to "
        f"whole numbers, {float(one.rounded_area):.4f}.",
    )
