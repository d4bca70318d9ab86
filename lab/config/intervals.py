"""Fields of configs about integrals: an interval, and an integrand with its antiderivative."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from lab.config.fields import FunctionField
from lab.config.models import Finite, Section, Text
from lab.errors import Fault, SpecError


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] >= ends[1]:
        raise ValueError("the first end must be below the second")
    return ends


Interval = Annotated[tuple[Finite, Finite], AfterValidator(_rising)]


class Integral(Section):
    """What is integrated, from where to where, and what the integral is known to be."""

    name: Text = Field("", description="What figures call the integrand instead of its formula.")
    function: FunctionField = Field(description="The integrand, a formula in x.")
    antiderivative: FunctionField = Field(description="A function whose derivative it is.")
    interval: Interval = Field(description="Where the integral begins and ends.")

    @property
    def label(self) -> str:
        """The integrand's name or, without one, its formula."""
        return self.name or self.function.label

    @model_validator(mode="after")
    def _of_x_alone(self) -> Self:
        faults = [
            Fault((key,), f"must be a formula in x alone, but has {one.dimension} variables")
            for key, one in (("function", self.function), ("antiderivative", self.antiderivative))
            if one.dimension != 1
        ]
        if faults:
            raise SpecError(faults)
        return self
