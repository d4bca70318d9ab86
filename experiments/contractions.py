"""What does it mean to contract two tensors, and what does a long contraction lose to rounding?"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, field_validator

from lab import config, plots
from lab.calculus import tensors
from lab.check import Check
from lab.experiment import Session
from lab.table import Column, Table

ROUND_OFF = {"bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
"""u: half the distance from 1 to the next number."""

INNER = 3
"""Length of the axis that is summed away: as many slices as there are panels in a row."""

LAW = math.sqrt(0.75 / (2 * math.log(2)) / 3 / 2)
"""Foretold error of a sum of k random products, over u k: rounding errors of relative size
sqrt(E[1/m^2] / 3) u, m = the leading part, spread evenly in its logarithm over [1, 2), of partial
sums of variance 1, 2, ..., k."""


class Config(config.ExperimentConfig):
    """The shapes that are shown, how many are compared, and the long sums."""

    precision: Literal["float64"] = "float64"
    rows: config.Count = Field(3, le=6, description="Rows of A.")
    columns: config.Count = Field(5, le=6, description="Columns of B.")
    compared: config.Side = Field(1000, description="Pairs A, B of whole numbers.")
    lengths: tuple[config.Count, ...] = Field(min_length=3, description="Terms in a sum, rising.")
    sums: config.Side = Field(1000, description="Sums of each length.")

    @field_validator("lengths")
    @classmethod
    def _rising(cls, value: Any) -> Any:
        if list(value) != sorted(set(value)):
            raise ValueError("lengths must rise")
        return value


def compute(config: Config, session: Session) -> None:
    """Products of whole numbers, every way; and rounding errors of long sums."""
    random = np.random.default_rng(config.seed)
    shape = (config.compared, config.rows, INNER)
    a = random.integers(-4, 5, shape).astype(float)
    b = random.integers(-4, 5, (config.compared, INNER, config.columns)).astype(float)
    c = random.integers(-4, 5, shape).astype(float)
    found = session.batched(_products, a, b, c)
    loops = [_loops(*three) for three in zip(a, b, c, strict=True)]
    wrong = {name: sum(np.any(f != loop[name]) for f, loop in zip(found[name], loops, strict=True))
             for name in loops[0]}  # fmt: skip
    wrong["einsum"] = np.any(found["einsum"] != found["product"], axis=(1, 2)).sum()
    three = found["three"][0]
    data = xr.Dataset(
        {
            "a": (("i", "k"), a[0]),
            "b": (("k", "j"), b[0]),
            "product": (("i", "j"), found["product"][0]),
            "three": (("i", "k", "j"), three),
            "c": (("i", "k"), c[0]),
            "sum": (("i", "k"), found["sum"][0]),
            "hadamard": (("i", "k"), found["hadamard"][0]),
            **{f"{name}_wrong": int(count) for name, count in wrong.items()},
        },
        attrs={"compared": config.compared},
    )
    session.save("_tensors", data)
    for precision in ROUND_OFF:
        session.save(f"_lengths/{precision}", _long_sums(config, session, precision, random))


def _products(a: Any, b: Any, c: Any) -> dict[str, Any]:
    """Everything that can be done with A, B and C; `three` has k set equal, not yet summed."""
    both = tensors.outer(a, b)
    return {
        "outer": both,
        "product": tensors.contract(both, 1, 2),
        "einsum": jnp.einsum("ik,kj->ij", a, b),
        "three": jnp.moveaxis(jnp.diagonal(both, axis1=1, axis2=2), -1, 1),
        "trace": tensors.contract(tensors.contract(tensors.outer(a, c), 1, 3), 0, 1),
        "sum": tensors.add(a, c),
        "hadamard": tensors.hadamard(a, c),
    }


def _loops(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    """The same by plain loops over all entries."""
    (rows, inner), columns = a.shape, b.shape[1]
    found = {
        "outer": np.zeros((*a.shape, *b.shape)),
        "product": np.zeros((rows, columns)),
        "trace": np.zeros(()),
        "sum": np.zeros(a.shape),
        "hadamard": np.zeros(a.shape),
    }
    for i in range(rows):
        for k in range(inner):
            found["sum"][i, k] = a[i, k] + c[i, k]
            found["hadamard"][i, k] = a[i, k] * c[i, k]
            found["trace"] += a[i, k] * c[i, k]
            for j in range(columns):
                found["product"][i, j] += a[i, k] * b[k, j]
                for m in range(inner):
                    found["outer"][i, k, m, j] = a[i, k] * b[m, j]
    return found


def _long_sums(config: Config, session: Session, precision: str, random: Any) -> xr.Dataset:
    """Errors of sums of products of standard normal numbers, beside exact sums."""
    lengths, kind = np.array(config.lengths), jnp.dtype(precision)
    x, y = random.standard_normal((2, config.sums, config.lengths[-1])).astype(kind)
    found = session.batched(partial(tensors.summed_products, stops=lengths), x, y, block=1 << 10)
    products, rests = _exact_products(x.astype(np.float64), y.astype(np.float64))
    pairs = np.stack([products, rests], axis=-1).reshape(config.sums, -1).tolist()
    exact = [[math.fsum(row[: 2 * n]) for n in config.lengths] for row in pairs]
    error = np.abs(found.astype(np.float64) - np.array(exact))
    sizes = np.stack([np.abs(products[:, :n]).sum(1) for n in lengths], axis=1)
    u = ROUND_OFF[precision]
    reach = np.minimum(lengths * u, 1 - 1e-9)  # beyond 1 there is no bound
    bound = reach / (1 - reach)
    return xr.Dataset(
        {
            "rms": ("length", np.sqrt(np.mean(error**2, 0))),
            "largest": ("length", error.max(0)),
            "over_bound": ("length", (error / (bound * sizes)).max(0)),
        },
        {"length": lengths},
        {"sums": config.sums},
    )


def _exact_products(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """X y rounded, and what rounding took from it.

    Source: Dekker 1971, Numerische Mathematik 18, 224-242.
    """

    def halves(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        large = 134217729.0 * z  # 2^27 + 1
        high = large - (large - z)
        return high, z - high

    (a, b), (c, d), product = halves(x), halves(y), x * y
    return product, b * d - (((product - a * c) - b * c) - a * d)


def long_sums(data: xr.DataTree) -> dict[str, xr.Dataset]:
    """The saved errors of each precision."""
    return {name: data[f"_lengths/{name}"].to_dataset() for name in ROUND_OFF}


def slope(one: xr.Dataset) -> float:
    """The power of the length with which the error grows, fitted from 16 terms on."""
    long = one.where(one.length >= 16, drop=True)
    return float(np.polyfit(np.log(long.length), np.log(long.rms), 1)[0])


def factor(one: xr.Dataset, u: float) -> float:
    """Error over u k, for the longest sums."""
    return float(one.rms[-1] / (u * one.length[-1]))


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """No product differs from plain loops, and long sums err as rounding says."""
    one, made = data["_tensors"].to_dataset(), []
    for name in ("einsum", "outer", "product", "trace", "sum", "hadamard"):
        told = f"{name}: pairs that differ, of {one.attrs['compared']}"
        source = "contraction of the outer product" if name == "einsum" else "plain loops"
        made.append(Check(told, 0, float(one[f"{name}_wrong"]), 0, source))
    for name, u in ROUND_OFF.items():
        found = long_sums(data)[name]
        worst = float(found.over_bound.max())
        source = "Higham, Accuracy and Stability, section 3.1: k u / (1 - k u) sum |x y|"
        made.append(Check(f"{name}: largest error over its bound", 1, worst, 0, source, True))
        source = "independent rounding errors (Higham & Mary 2019): proportional to k"
        made.append(Check(f"{name}: slope of the error", 1, slope(found), 0.1, source))
        close = 0.1 * LAW
        told = f"{name}: root mean square error over u k, longest sums"
        made.append(Check(told, LAW, factor(found, u), close, source))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a precision."""
    columns = (
        Column("precision", "precision", "of entries and sums", ""),
        Column("u", "u", "half the distance from 1 to the next number", ".2e"),
        Column("length", "terms", "in the longest sums", ".0f"),
        Column("error", "error", "root mean square, of sums of size sqrt(terms)", ".2e"),
        Column("factor", "error / (u k)", "about 0.3 for independent rounding errors", ".3f"),
        Column("slope", "slope", "power of the length with which the error grows", ".3f"),
    )
    rows = [
        {
            "precision": name,
            "u": ROUND_OFF[name],
            "length": int(one.length[-1]),
            "error": float(one.rms[-1]),
            "factor": factor(one, ROUND_OFF[name]),
            "slope": slope(one),
        }
        for name, one in long_sums(data).items()
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Equality, and the errors of long sums."""
    one = data["_tensors"].to_dataset()
    wrong = sum(int(one[name]) for name in one if str(name).endswith("_wrong"))
    rows = summary(data).rows
    errors = ", ".join(f"{row['error']:.1e} in {row['precision']}" for row in rows)
    return (
        f"{wrong} of {one.attrs['compared']} products differ from plain loops; sums of "
        f"{rows[0]['length']} random products err by {errors}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The contraction, the other operations, and the errors of long sums."""
    one = data["_tensors"].to_dataset()
    return {
        "tensor_contraction": partial(contraction, one),
        "tensor_operations": partial(operations, one),
        "contraction_error": partial(errors, long_sums(data)),
    }


def _grid(values: xr.DataArray, title: str, note: str, limit: float = 0) -> plots.Panel:
    """A matrix as coloured cells, with its numbers; the first axis goes down."""
    limit = limit or float(np.abs(values).max())
    array, (down, across) = values.values, values.dims
    rows, columns = (list(range(length)) for length in array.shape)
    cells = plots.Image(
        x=columns, y=rows, values=array, kind="signed", limits=(-1.4 * limit, 1.4 * limit)
    )
    numbers = [
        plots.Note(text=f"{int(array[i, j])}".replace("-", "\N{MINUS SIGN}"), x=j, y=i,
                   across="center", up="center")
        for i in rows for j in columns
    ]  # fmt: skip
    ends = ((-0.5, columns[-1] + 0.5), (rows[-1] + 0.5, -0.5))
    return plots.Panel(
        [cells, *numbers],
        title,
        f"{across}",
        f"{down}",
        xlim=ends[0],
        ylim=ends[1],
        note=note,
        ticks=(columns, rows),
    )


def contraction(one: xr.Dataset) -> plots.Figure:
    """A and B, the products with k set equal, slice by slice, and what is left of them."""
    top = float(np.abs(one.three).max())
    panels = [
        _grid(one.a, "A", "axes i, k"),
        _grid(one.b, "B", "axes k, j"),
        _grid(one.product, "AB", "axes i, j"),
    ]
    for k in range(INNER):
        panels.append(_grid(one.three.isel(k=k), f"k = {k}", "A[i,k] B[k,j]", top))
    return plots.chart(
        "Multiply everything, set k equal, then sum k away",
        panels,
        caption="Top: two matrices and their product. Below: the products A[i,k] B[k,j], an array "
        "with three axes, one slice for each k. Added together, the slices give AB.",
        alt=f"Numbers in coloured cells; AB is {one.product.values.astype(int).tolist()}.",
        grid=(2, 3),
        rows=_told(one, ("a", "b", "product")),
        columns=("tensor", "row", "column", "value"),
    )


def _told(one: xr.Dataset, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """The numbers of matrices, cell by cell."""
    return [(n, *at, v) for n in names for at, v in np.ndenumerate(one[n].values)]


def operations(one: xr.Dataset) -> plots.Figure:
    """Sum, Hadamard product, and outer product of the first rows."""
    outer = xr.DataArray(
        tensors.outer(one.a.values[0], one.b.values[0]), dims=("k of A[0,k]", "j of B[0,j]")
    )
    panels = [
        _grid(one.a, "A", "axes i, k"),
        _grid(one.c, "C", "axes i, k"),
        _grid(one["sum"], "A + C", "entry by entry"),
        _grid(one.hadamard, "A ∘ C", "Hadamard product"),
        _grid(outer, "outer product", "of A[0,k] and B[0,j]"),
        _grid(one.product, "AB", "outer, contracted"),
    ]
    return plots.chart(
        "Adding keeps the axes, outer products collect them",
        panels,
        caption="One cell is one entry. Sums and Hadamard products pair equal places; an outer "
        "product pairs every entry with every entry; a contraction takes two axes away.",
        alt=f"A + C is {one['sum'].values.astype(int).tolist()}, their Hadamard product "
        f"{one.hadamard.values.astype(int).tolist()}.",
        grid=(2, 3),
        rows=_told(one, ("a", "c", "sum", "hadamard")),
        columns=("tensor", "row", "column", "value"),
    )


def errors(found: dict[str, xr.Dataset]) -> plots.Figure:
    """Root mean square errors against the number of terms, in each precision."""
    alt = "; ".join(
        f"in {name}, {float(one.rms[-1]):.1e} for {int(one.length[-1])} terms"
        for name, one in found.items()
    )
    one = next(iter(found.values()))
    marks: list[plots.Mark] = []
    for tone, (name, errors) in enumerate(found.items()):
        x = errors.length.values
        kept = errors.rms.values > 0
        marks.append(plots.Points(x=x[kept], y=errors.rms.values[kept], label=name, tone=tone))
        law = LAW * ROUND_OFF[name] * x
        label = "" if tone else "independent rounding errors"
        marks.append(plots.Line(x=x, y=law, label=label, tone="text", width=1.6))
    panel = plots.Panel(
        marks,
        title="Sums of products of standard normal numbers",
        note=f"foretold: {LAW:.3f} u k",
        x="terms in the sum k",
        y="error",
        scales=("log", "log"),
        xlim=(x[0] / 1.3, x[-1] * 1.3),
    )
    return plots.chart(
        "Rounding grows with the length of a contraction",
        [panel],
        caption=f"One point is the root mean square error of {one.attrs['sums']} sums, added term "
        "after term. The sums themselves are of size √k, so their relative error grows as √k.",
        alt=f"Three lines of slope 1 on logarithmic axes: {alt}.",
    )
