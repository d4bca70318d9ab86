"""How does a sum of rectangles become the integral?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import jax
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.integrals import riemann, romberg
from lab.check import Check
from lab.config.intervals import Integral
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

RULES = {"left": 0.0, "right": 1.0, "midpoint": 0.5}


class Case(Integral):
    """An integral, and the width of the rectangles that are shown."""

    width: config.Positive = Field(description="Width of the rectangles of the still picture.")


class Config(config.ExperimentConfig):
    """The integrals, and how finely they are summed."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=3, description="Integrals.")
    counts: tuple[config.Side, ...] = Field(min_length=3, description="Numbers of rectangles.")
    points: config.Side = Field(401, description="Points of a drawn curve.")
    frames: config.Side = Field(40, le=100, description="Frames of the animation.")


def compute(config: Config, session: Session) -> None:
    """Sums of all rules, and the rectangles of every frame."""
    for index, case in enumerate(config.cases):
        f, (a, b) = case.function, case.interval
        x, counts = np.linspace(a, b, config.points), np.array(config.counts)
        derivatives = (f, jax.grad(f), jax.grad(jax.grad(jax.grad(f))))
        ends = session.batched(lambda x, d=derivatives: [g(x) for g in d], np.array([a, b]))
        primitive, slope = session.batched(jax.value_and_grad(case.antiderivative), x)
        shown = max(2, round((b - a) / case.width))
        drawn = np.unique(np.geomspace(2, shown, config.frames).round().astype(int))
        drawn = drawn[np.linspace(0, len(drawn) - 1, config.frames).round().astype(int)]
        every = np.concatenate([counts, drawn])
        sums = session.batched(partial(_sums, f, a, b), every)
        data = xr.Dataset(
            {
                **{r: ("count", s[: len(counts)]) for r, s in zip(RULES, sums, strict=True)},
                "curve": ("x", session.batched(f, x)),
                "slope": ("x", slope),
                "step_change": ("order", np.array([d[1] - d[0] for d in ends])),
                "exact": primitive[-1] - primitive[0],
                "measured": session.batched(lambda a, f=f, b=b: romberg(f, a, b, 9), x[:1])[0, -1],
                "frame_count": ("frame", drawn),
                "frame_sum": ("frame", sums[0][len(counts) :]),
                "height": (("frame", "bar"), _heights(session, f, a, b, drawn)),
            },
            {"count": counts, "x": x, "order": [0, 1, 3]},
            {"function": case.label, "ends": f"[{a:g}, {b:g}]"},
        )
        session.save(f"_cases/{index:02d}", data)


def _sums(f: Callable, a: float, b: float, n: jax.Array) -> list[jax.Array]:
    return [riemann(f, np.float64(a), np.float64(b), n, at) for at in RULES.values()]


def _heights(session: Session, f: Callable, a: float, b: float, counts: np.ndarray) -> np.ndarray:
    """Heights at the left ends, one row a frame, with NaN where there are fewer rectangles."""
    bar = np.arange(counts.max())
    left = a + bar * (b - a) / counts[:, None]
    found = session.batched(f, np.where(bar < counts[:, None], left, a).ravel())
    return np.where(bar < counts[:, None], found.reshape(left.shape), np.nan)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def order(case: xr.Dataset, rule: str) -> float:
    """The power of 1/n with which a rule's error falls, fitted to the finer half of the counts."""
    error = np.abs(case[rule] - case.exact).values
    kept = slice(len(error) // 2, None)
    return -float(np.polyfit(np.log(case["count"].values[kept]), np.log(error[kept]), 1)[0])


def uneven(case: xr.Dataset) -> bool:
    """Whether f is not equal at both ends, so that the left rule errs in first order."""
    return bool(abs(case.step_change[0]) > 1e-9 * np.abs(case.curve).max())


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The integral is F(b) - F(a), and the errors are those of Euler and Maclaurin."""
    made = []
    for case, asked in zip(cases(data), config.cases, strict=True):
        name, exact = case.attrs["function"], float(case.exact)
        off = float(np.abs(case.slope - case.curve).max() / np.abs(case.curve).max())
        source = "the antiderivative F of the config, by automatic differentiation"
        made.append(Check(f"{name}: largest difference of F' and f", 0, off, 1e-13, source))
        source = "fundamental theorem of calculus: F(b) - F(a)"
        close = 1e-12 * max(1, abs(exact))
        made.append(Check(f"{name}: integral", exact, float(case.measured), close, source))
        jump, bend, third = case.step_change.values.tolist()
        h = (asked.interval[1] - asked.interval[0]) / int(case.frame_count[-1])
        error = float(case.frame_sum[-1]) - exact
        expected = -h * jump / 2 + h**2 * bend / 12
        left = h**4 * abs(third) / 360 + 1e-13 * abs(exact)
        source = "Euler-Maclaurin: -h (f(b)-f(a))/2 + h^2 (f'(b)-f'(a))/12"
        made.append(Check(f"{name}: left sum's error, h = {h:g}", expected, error, left, source))
        expected = 1 if uneven(case) else 2
        source = "Euler-Maclaurin: 1, or 2 where f is the same at both ends"
        made.append(
            Check(f"{name}: left rule's order", expected, order(case, "left"), 0.03, source)
        )
        source = "Euler-Maclaurin: -h^2 (f'(b)-f'(a))/24"
        middle = order(case, "midpoint")
        made.append(Check(f"{name}: midpoint rule's order", 2, middle, 0.02, source))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row an integral."""
    columns = (
        Column("function", "function", "what is integrated", ""),
        Column("ends", "from, to", "the interval", ""),
        Column("exact", "integral", "by the antiderivative", ".9g"),
        Column("count", "rectangles", "of the still picture", ".0f"),
        Column("sum", "left sum", "of these rectangles", ".6g"),
        Column("left_order", "left order", "power of 1/n in the left rule's error", ".3f"),
        Column("midpoint_order", "midpoint order", "the same of the midpoint rule", ".3f"),
    )
    rows = [
        {
            "function": case.attrs["function"],
            "ends": case.attrs["ends"],
            "exact": float(case.exact),
            "count": int(case.frame_count[-1]),
            "sum": float(case.frame_sum[-1]),
            "left_order": order(case, "left"),
            "midpoint_order": order(case, "midpoint"),
        }
        for case in cases(data)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What the integrals are, and how fast the left sums come near."""
    said = [
        f"the integral of {row['function']} over {row['ends']} is {row['exact']:.6g}, and the left "
        f"sum's error falls with the power {row['left_order']:.2f} of the width"
        for row in summary(data).rows
    ]
    return "; ".join(said)[:1].upper() + "; ".join(said)[1:] + "."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Rectangles under the curves, and the errors of the sums."""
    found = cases(data)
    return {"riemann": partial(rectangles, found), "riemann_errors": partial(errors, found)}


def rectangles(found: Sequence[xr.Dataset]) -> plots.Figure:
    """Left sums whose rectangles grow narrow."""
    count = found[0].sizes["frame"]
    alt = " ".join(
        f"{case.attrs['function']} over {case.attrs['ends']}: {int(case.frame_count[-1])} "
        f"rectangles sum to {number(float(case.frame_sum[-1]), 5)}, the integral is "
        f"{number(float(case.exact), 5)}."
        for case in found
    )
    return plots.chart(
        "Ever narrower rectangles fill the area under a curve",
        [_panel(case, count - 1) for case in found],
        caption="Each rectangle is as high as the curve at its left end. Their areas together are "
        "the left Riemann sum.",
        alt="Curves with rectangles under them. " + alt,
        frames=lambda index: [_panel(case, index) for case in found],
        count=count,
    )


def _panel(case: xr.Dataset, index: int) -> plots.Panel:
    x, y, n = case.x.values, case.curve.values, int(case.frame_count[index])
    air = 0.06 * (max(y.max(), 0) - min(y.min(), 0))
    told = f"{number(float(case.frame_sum[index]), 4)}, integral {number(float(case.exact), 4)}"
    return plots.Panel(
        [
            plots.Bars(
                edges=np.linspace(x[0], x[-1], n + 1),
                heights=case.height.values[index, :n],
                label="rectangles of the left sum",
                tone=1,
            ),
            plots.Line(x=x, y=y, label="function", tone=0, width=2.8),
        ],
        title=f"f(x) = {case.attrs['function']}",
        note=f"{n} rectangles: {told}",
        x="x",
        y="f(x)",
        xlim=(x[0], x[-1]),
        ylim=(min(y.min(), 0) - air * (y.min() < 0), max(y.max(), 0) + air),
    )


def errors(found: Sequence[xr.Dataset]) -> plots.Figure:
    """Errors of the left, right and midpoint rules against the number of rectangles."""
    orders = " ".join(
        f"{case.attrs['function']}: " + ", ".join(f"{r} {order(case, r):.2f}" for r in RULES) + "."
        for case in found
    )
    return plots.chart(
        "Rectangles half as wide halve the error, or quarter it",
        [_errors(case) for case in found],
        caption="One point is the error of one sum. Dashed: error in proportion to 1/n and to "
        "1/n². Left and right sums err in first order only where f differs between the ends.",
        alt="Errors that fall along straight lines on logarithmic axes, with orders " + orders,
    )


def _errors(case: xr.Dataset) -> plots.Panel:
    n = case["count"].values
    marks: list[plots.Mark] = []
    for rule in RULES:
        error = np.abs(case[rule] - case.exact).values
        marks.append(
            plots.Line(
                x=n, y=error, label=f"{rule} rule", marked=1, width=6.0 if rule == "left" else 2.4
            )
        )
    first = float(np.abs(case.midpoint - case.exact)[0])
    top = float(np.abs(case.left - case.exact)[0])
    marks.append(plots.Guide(at=(n[0], first / 3), slope=-2.0))
    if uneven(case):
        marks.append(plots.Guide(at=(n[0], top * 3), slope=-1.0))
    return plots.Panel(
        marks,
        title=f"f(x) = {case.attrs['function']}",
        note=f"over {case.attrs['ends']}",
        x="number of rectangles n",
        y="|sum - integral|",
        scales=("log", "log"),
        xlim=(n[0] / 1.2, n[-1] * 1.2),
    )
