"""Losses by name: the catalogue, the TOML table `[loss]`, and plain functions taken as losses."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from lab.errors import Fault, SpecError, nearest
from lab.losses import (
    bowls,
    kinks,
    many_minima,
    many_minima_2d,
    models,
    saddles,
    step_sizes,
    valleys,
    wells,
)
from lab.losses.base import MOST_DIMENSIONS, Family, Loss, formula_of, proven
from lab.losses.bbob import from_table as bbob_from_table
from lab.losses.formula import from_table
from lab.losses.models import MODELS, Model
from lab.losses.more_garbow_hillstrom import fits, small, sums, systems
from lab.losses.values import Signature, read_signature, resolve, whole
from lab.user_files import is_file_reference, load_object


def families(*modules: ModuleType) -> dict[str, Family]:
    """Every family of these modules by name."""
    found = [value for module in modules for value in vars(module).values()]
    return {f.name: f for f in sorted((f for f in found if isinstance(f, Family)), key=_name)}


def _name(family: Family) -> str:
    return family.name


catalogue = families(
    *(bowls, valleys, wells, many_minima, many_minima_2d, saddles, kinks, step_sizes, models),
    *(small, fits, sums, systems),
)


def as_loss(function: Loss | Family | Model | Callable[..., Any], /, **given: Any) -> Loss:
    """Take a plain JAX function `f(x, ...) -> scalar` as a loss; its facts are unknown.

    Args:
        function: The function (or a `Loss` or `Family`, which pass through).
        **given: Values for its parameters, and `dimension`, the length of x, where it is known.

    Returns:
        The loss, whose parameters are the function's defaults and what is given.

    Example:
        >>> as_loss(lambda x, a=2.0: a * x[0] ** 2, dimension=1)
        <loss <lambda>(a=2.0), 1-D>
    """
    if isinstance(function, Family | Model):
        return function(**given)
    if isinstance(function, Loss):
        return _changed(function, given) if given else function
    if not callable(function):
        raise SpecError([Fault((), f"a loss is a function of one point, not {function!r:.60}")])
    name = getattr(function, "__name__", type(function).__name__)
    try:
        signature = read_signature(function)
    except ValueError as error:
        raise SpecError([Fault((), f"{name} {error}")]) from None
    plain = Loss(
        name, function, {}, formula=formula_of(function),
        takes_step=signature.takes_step, takes_key=signature.takes_key,
    )  # fmt: skip
    return _filled(plain, signature, given)


def _changed(loss: Loss, given: Mapping[str, Any]) -> Loss:
    """The same loss with other parameters."""
    kept = {**loss.parameters, **{name: value[0] for name, value in loss.swept.items()}}
    signature = Signature(kept, takes_step=loss.takes_step, takes_key=loss.takes_key)
    filled = _filled(loss, signature, given)
    still = {name: value for name, value in loss.swept.items() if name not in given}
    values = {name: value for name, value in filled.parameters.items() if name not in still}
    return replace(filled, parameters=values, swept={**still, **filled.swept})


def _filled(loss: Loss, signature: Signature, given: Mapping[str, Any]) -> Loss:
    dimension, faults = loss.dimension, []
    if "dimension" in given:
        try:
            dimension = whole(given["dimension"], 1, MOST_DIMENSIONS)
        except ValueError as error:
            faults.append(Fault(("dimension",), str(error)))
        if loss.dimension not in (None, dimension):
            message = f"{loss.name} has dimension {loss.dimension}, not {dimension}"
            faults.append(Fault(("dimension",), message))
    own = {name: value for name, value in given.items() if name != "dimension"}
    values, swept, more = resolve(loss.name, signature, own)
    if faults or more:
        raise SpecError([*faults, *more])
    return proven(replace(loss, parameters=values, swept=swept, dimension=dimension))


def from_spec(spec: Mapping[str, Any], folder: Path) -> Loss:
    """The loss that a table describes; `folder` is where "file.py:function" is looked for.

    Args:
        spec: `name` (of the catalogue, or "file.py:function") or `formula`, `dimension` where it
            is free, and the loss's own parameters.
        folder: The config's folder.

    Returns:
        The loss.
    """
    chosen = [key for key in ("name", "formula") if key in spec]
    rest = {key: value for key, value in spec.items() if key not in chosen}
    if len(chosen) == 2:
        raise SpecError([Fault(("formula",), "give either 'name' or 'formula', not both")])
    if not chosen:
        raise SpecError(_unchosen(rest))
    if chosen == ["formula"]:
        return from_table(spec["formula"], rest)
    return _named(spec["name"], rest, folder)


def _named(name: Any, rest: Mapping[str, Any], folder: Path) -> Loss:
    if not isinstance(name, str):
        raise SpecError([Fault(("name",), f"must be a text, not {name!r:.60}")])
    if name in catalogue:
        return catalogue[name](**rest)
    if name in MODELS:
        return MODELS[name](**rest)
    if name == "bbob":
        return bbob_from_table(rest)
    if not is_file_reference(name):
        told = nearest(name, (*catalogue, *MODELS, "bbob"))
        raise SpecError([Fault(("name",), f"unknown loss {name!r}{told}")])
    try:
        return as_loss(load_object(name, folder), **rest)
    except SpecError as error:  # what is wrong with the function itself stands at its name
        raise SpecError([f if f.path else f.under("name") for f in error.faults]) from None


def _unchosen(rest: Mapping[str, Any]) -> list[Fault]:
    close = {key: nearest(key, ("name", "formula")) for key in rest}
    near = [Fault((key,), f"unknown key{told}") for key, told in close.items() if "did you" in told]
    return near or [Fault(("name",), "missing: give the loss's 'name', or a 'formula'")]
