"""Losses: functions of one point with their facts, from the catalogue, a formula, or a file.

`lab.losses.rosenbrock(b=10.0)` is a `Loss`, callable on one point; `catalogue` lists them all.
"""

from typing import TYPE_CHECKING

from lab.losses.base import Family, Loss, least_squares, surface
from lab.losses.bbob import bbob
from lab.losses.formula import formula
from lab.losses.models import MODELS, Model
from lab.losses.spec import as_loss, catalogue, from_spec

globals().update({**catalogue, **MODELS})  # every loss under its own name: lab.losses.rosenbrock

if TYPE_CHECKING:

    def __getattr__(name: str) -> Family: ...


__all__ = [
    "MODELS",
    "Family",
    "Loss",
    "Model",
    "as_loss",
    "bbob",
    "catalogue",
    "formula",
    "from_spec",
    "least_squares",
    "surface",
    *catalogue,
    *MODELS,
]
