"""Fields of configs about functions of two variables: rectangles, surfaces, positions."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from lab.config.fields import FunctionField
from lab.config.models import Finite


def _increasing(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] >= ends[1]:
        raise ValueError("the low end must be below the high end")
    return ends


def _of_two(function: Any) -> Any:
    if function.dimension != 2:
        raise ValueError("give a formula in two variables, x and y")
    return function


Ends = Annotated[tuple[Finite, Finite], AfterValidator(_increasing)]
Window = tuple[Ends, Ends]
Position = tuple[Finite, Finite]
if TYPE_CHECKING:
    SurfaceField = FunctionField
else:
    SurfaceField = Annotated[FunctionField, AfterValidator(_of_two)]
