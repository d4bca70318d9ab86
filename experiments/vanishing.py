"""How do gradients grow or fade on their way back through many layers?"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import jax
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.depth import log_growth, relu_growth, relu_network, vector_growth
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

BLOCK = 512
"""Networks that are in memory at once, with all their weights."""

ERRORS = 5
"""Standard errors that a mean of random networks may be off by."""


class ProductsSection(config.Section):
    """Products of random matrices."""

    size: config.Side = Field(4, description="Rows and columns of a matrix.")
    length: config.Count = Field(100, description="Matrices in a product.")
    count: config.Side = Field(10_000, description="Products.")


class Config(config.ExperimentConfig):
    """The networks, and the products beside them."""

    precision: Literal["float32"] = "float32"
    width: config.Side = Field(16, description="Units D in every layer.")
    depth: config.Side = Field(32, description="Layers.")
    scales: config.SweepField = Field(description="The weights' variance times the width D.")
    networks: config.Side = Field(1000, description="Networks for each variance.")
    products: ProductsSection = ProductsSection()

    @model_validator(mode="after")
    def _around_two(self) -> Self:
        if len(self.scales) < 2 or not 0 < self.scales.min() < 2 < self.scales.max():
            told = "must be positive, and lie on both sides of 2, where gradients are kept"
            raise SpecError([Fault(("scales",), told)])
        return self


def compute(config: Config, session: Session) -> None:
    """Squared lengths in every network, layer by layer; logarithms of lengths in products."""
    scales, count = np.asarray(config.scales, np.float32), config.networks
    seeds = np.arange(len(scales) * count, dtype=np.uint32)

    def network(seed: Any, scale: Any) -> dict[str, Any]:
        key = jax.random.fold_in(jax.random.key(config.seed), seed)
        return relu_network(key, scale, config.width, config.depth)

    found = session.batched(network, seeds, np.repeat(scales, count), block=BLOCK)
    parts = [
        _statistics(kind, values.reshape(len(scales), count, -1).astype(np.float64))
        for kind, values in found.items()
    ]
    attrs = {"width": config.width, "depth": config.depth, "networks": count}
    networks = xr.merge(parts).assign_coords(scale=config.scales).assign_attrs(attrs)
    session.save("_networks", networks)
    session.save("_products", _products(config, session))


def _statistics(kind: str, squares: np.ndarray) -> xr.Dataset:
    """Means over the networks [scale, network, layer] that are alive to the end."""
    alive = (squares > 0).all(axis=2, keepdims=True)
    squares = np.where(alive, squares, np.nan)
    logs = np.log(squares)
    ratios = squares[:, :, 1:] / squares[:, :, :-1]
    low, middle, high = np.nanquantile(logs / 2, [0.1, 0.5, 0.9], axis=1)
    per_layer = logs[:, :, -1] / (squares.shape[2] - 1)
    return xr.Dataset(
        {
            f"{kind}_ratio": ("scale", np.nanmean(ratios, axis=(1, 2))),
            f"{kind}_ratios": (("scale", "step"), np.nanmean(ratios, axis=1)),
            f"{kind}_low": (("scale", "layer"), low),
            f"{kind}_median": (("scale", "layer"), middle),
            f"{kind}_high": (("scale", "layer"), high),
            f"{kind}_rate": ("scale", np.nanmean(per_layer, axis=1)),
            f"{kind}_error": ("scale", np.nanstd(per_layer, axis=1) / alive.sum(1)[:, 0] ** 0.5),
            f"{kind}_dead": int(np.sum(~alive)),
        }
    )


def _products(config: Config, session: Session) -> xr.Dataset:
    wanted = config.products

    def one(seed: Any) -> Any:
        key = jax.random.fold_in(jax.random.key(config.seed + 1), seed)
        return log_growth(key, wanted.size, wanted.length)

    found = session.batched(one, np.arange(wanted.count, dtype=np.uint32)).astype(np.float64)
    logs = np.concatenate([np.zeros((wanted.count, 1)), found], axis=1)
    steps = np.diff(logs, axis=1)
    low, middle, high = np.quantile(logs, [0.05, 0.5, 0.95], axis=0)
    return xr.Dataset(
        {
            "low": ("layer", low),
            "median": ("layer", middle),
            "high": ("layer", high),
            "some": (("product", "layer"), logs[:3]),
            "mean_step": steps.mean(),
            "std_step": steps.std(),
            "mean_square": np.exp(2 * steps).mean(),
        },
        attrs={"size": wanted.size, "length": wanted.length, "count": wanted.count},
    )


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Mean squares change by D var / 2 a layer, typical ones by less; products as Newman says."""
    return [*_of_networks(data["_networks"].to_dataset()), *_of_products(data["_products"])]


def _of_networks(found: xr.Dataset) -> list[Check]:
    made, scales = [], found.scale.values
    samples = found.attrs["networks"] * found.attrs["depth"] * len(scales)
    spread = ERRORS * float(np.sqrt(5 / found.attrs["width"] / samples))
    source = "He, Zhang, Ren & Sun 2015 (ICCV)"
    for kind in ("signal", "gradient"):
        ratio = found[f"{kind}_ratio"].values / (scales / 2)
        name = f"{kind}: mean square ratio of a layer over D var / 2"
        made.append(Check(name, 1, float(ratio.mean()), float(spread), source))
        theory = np.array([relu_growth(scale, found.attrs["width"]) for scale in scales])
        off = float((found[f"{kind}_rate"] - theory).mean())
        error = float(np.sqrt((found[f"{kind}_error"] ** 2).sum())) / len(scales)
        name = f"{kind}: typical logarithm a layer beside E ln chi-square"
        made.append(Check(name, 0, off, ERRORS * error, "Hanin & Nica 2020: products of matrices"))
    name = "variance times D at which the mean square gradient is kept"
    made.append(Check(name, 2, critical(found), float(2 * spread * 1.5), source))
    return made


def critical(found: xr.Dataset) -> float:
    """Where the measured mean ratio of squared gradients crosses one, by a fit of logarithms."""
    logs = np.log(found.scale.values)
    slope, level = np.polyfit(logs, np.log(found.gradient_ratio.values), 1)
    return float(np.exp(-level / slope))


def _of_products(found: Any) -> list[Check]:
    size, samples = found.attrs["size"], found.attrs["count"] * found.attrs["length"]
    mean, std = vector_growth(size)
    error, source = ERRORS / float(np.sqrt(samples)), "Newman 1986: (ln 2 + psi(n/2)) / 2"
    matrices = f"products of {found.attrs['length']} {size}x{size} matrices"
    square = float(found.mean_square) / size
    return [
        Check(f"{matrices}: growth a layer", mean, float(found.mean_step), std * error, source),
        Check(f"{matrices}: its spread", std, float(found.std_step), std * error, source),
        Check(f"{matrices}: mean square over n", 1, square, float(np.sqrt(2 / size) * error),
              "E |M v|^2 = n |v|^2"),
    ]  # fmt: skip


def summary(data: xr.DataTree) -> Table:
    """One row a variance."""
    found = data["_networks"]
    columns = (
        Column("scale", "D var", "the weights' variance times the width", ".3g"),
        Column("ratio", "mean square", "mean ratio of squared gradients, a layer", ".4f"),
        Column("theory", "theory", "D var / 2", ".4f"),
        Column("typical", "typical", "exp of the mean logarithm of that ratio", ".4f"),
        Column("last", "at the input", "median length of the gradient there", ".2e"),
    )
    rows = [
        {
            "scale": float(scale),
            "ratio": float(found.gradient_ratio[i]),
            "theory": float(scale) / 2,
            "typical": float(np.exp(found.gradient_rate[i])),
            "last": float(np.exp(found.gradient_median[i, -1])),
        }
        for i, scale in enumerate(found.scale.values)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Where gradients are kept, and how fast products grow."""
    found, products = data["_networks"].to_dataset(), data["_products"]
    return (
        f"Mean squares of gradients are kept at a variance of {critical(found):.3f}/D; a vector "
        f"through {products.attrs['length']} normal matrices of {products.attrs['size']} rows "
        f"grows by a factor of {np.exp(float(products.mean_step)):.3f} a layer."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Depth against variance, and the products."""
    return {
        "vanishing_gradients": partial(vanishing, data["_networks"].to_dataset()),
        "matrix_products": partial(products, data["_products"].to_dataset()),
    }


def vanishing(found: xr.Dataset) -> plots.Figure:
    """The plane of depth and variance, and three cuts through it."""
    lengths = found.gradient_median.values / np.log(10)
    mean = np.log10(found.gradient_ratios.values).cumsum(1) / 2
    layers = np.arange(lengths.shape[1])
    scales, width = found.scale.values, found.attrs["width"]
    cuts = [0, int(np.argmin(np.abs(scales - 2))), len(scales) - 1]
    lines: list[plots.Mark] = []
    for cut in cuts:
        low, high = (found[f"gradient_{side}"][cut].values / np.log(10) for side in ("low", "high"))
        label = f"variance {number(scales[cut])}/D"
        lines.append(plots.Line(x=layers, y=lengths[cut], band=(low, high), label=label))
        rate = relu_growth(scales[cut], width) / 2 / np.log(10)
        theory = "theory of the typical length" if cut == cuts[0] else ""
        lines.append(plots.Line(x=layers, y=rate * layers, tone="text", dashes=(0, (2, 3)),
                                width=1.6, label=theory))  # fmt: skip
    image = plots.Image(
        x=scales, y=layers[1:], values=mean.T, kind="signed", label="log10 of the mean length"
    )
    contours = plots.Contours(
        x=scales, y=layers[1:], values=mean.T, levels=[-4, -3, -2, -1, 1, 2, 3], numbered=True
    )  # fmt: skip
    guide = plots.Guide(x=2.0, label="critical variance 2/D")
    ends = ", ".join(f"{number(scales[c])}/D: {number(10 ** lengths[c, -1], 2)}" for c in cuts)
    return plots.chart(
        "Gradients fade or explode on either side of the variance 2/D",
        [
            plots.Panel([image, contours, guide], x="variance of weights times D",
                        y="layers back from the output"),
            plots.Panel(lines, x="layers back from the output",
                        y="log10 of the typical length"),
        ],
        caption=f"Networks of {layers[-1]} layers of {width} ReLU units, "
        f"{found.attrs['networks']:,} for each variance. A pixel is the mean length of the "
        "gradient with respect to a layer, relative to that at the output: the root of the product "
        "of each layer's mean ratio of squares. At the right, medians with a band from the 10 % "
        "to the 90 % quantile. At 2/D the mean square is kept, while the typical length falls.",
        alt=f"A map with a dashed line at 2, and three lines with bands. Median length of the "
        f"gradient after {layers[-1]} layers at variance {ends}.",
    )  # fmt: skip


def products(found: xr.Dataset) -> plots.Figure:
    """Lengths of a vector through more and more matrices."""
    size, layers = found.attrs["size"], np.arange(found.sizes["layer"])
    mean, _ = vector_growth(size)
    ten = np.log(10)
    some = [
        plots.Line(x=layers, y=one / ten, tone="muted", width=1.2,
                   label="single products" if i == 0 else "")
        for i, one in enumerate(found.some.values)
    ]  # fmt: skip
    band = (found.low.values / ten, found.high.values / ten)
    last = float(found["median"][-1]) / ten
    rates = {"typical growth": mean, "root of the mean square": np.log(size) / 2}
    marks: list[plots.Mark] = [
        plots.Line(x=layers, y=found["median"].values / ten, band=band,
                   label="median, 5 % to 95 %"),
        *some,
        *(plots.Line(x=layers, y=rate * layers / ten, label=f"{label}: {np.exp(rate):.3f}ᵏ",
                     tone=i + 1, width=1.8) for i, (label, rate) in enumerate(rates.items())),
    ]  # fmt: skip
    return plots.chart(
        f"{layers[-1]} random matrices make a vector 10{_raised(last)} times as long",
        [plots.Panel(marks, x="matrices k", y="log10 of the length")],
        caption=f"A line follows the length of a vector through k matrices of {size} x {size} "
        f"standard normal numbers; the band holds nine tenths of {found.attrs['count']:,} "
        "products. The mean square is made by few very long ones, so it grows faster than the "
        "typical length.",
        alt=f"Rising lines; the median reaches 10^{last:.1f} after {layers[-1]} matrices, and the "
        f"root of the mean square 10^{rates['root of the mean square'] * layers[-1] / ten:.1f}.",
    )


def _raised(power: float) -> str:
    return f"{power:.0f}".translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
