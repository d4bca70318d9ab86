"""What every experiment's config has, and the `[run]` section of those that run lanes."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    model_validator,
)

from lab.config.fields import LossField, OptimizersField, StartsField
from lab.errors import Fault, SpecError

INT32 = 2**31 - 1


def _whole(value: Any) -> Any:
    """1e6 is a whole number too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _int32(value: int) -> int:
    if value > INT32:
        raise ValueError(f"must be at most {INT32}, not {value}")
    return value


Whole = BeforeValidator(_whole)
# A bound of a field's own would be overruled by one of its type: this one is another validator.
Int32 = AfterValidator(_int32)
Count = Annotated[int, Strict(), Field(ge=1), Int32, Whole]
Index = Annotated[int, Strict(), Field(ge=0), Int32, Whole]
Seed = Annotated[int, Strict(), Field(ge=0, le=2**32 - 1), Whole]
Side = Annotated[int, Strict(), Field(ge=2), Int32, Whole]
Finite = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Text = Annotated[str, Strict()]


def _distinct(values: tuple) -> tuple:
    if len(set(values)) < len(values):
        raise ValueError("the same value stands here twice")
    return values


class Section(BaseModel):
    """A table whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class RunSection(Section):
    """How long each lane runs, what ends it, and what is kept of it."""

    steps: Index = Field(1000, description="Updates a lane may take; 0 is a look at the starts.")
    seeds: Count = Field(1, description="Random seeds for each setting and start.")
    targets: Annotated[tuple[Positive, ...], AfterValidator(_distinct)] = Field(
        (1e-2, 1e-4, 1e-6),
        description="Loss above the known minimum (above 0 where none is known) "
        "whose first step is recorded.",
    )
    diverged_above: Positive = Field(
        1e8, description="A lane has diverged when its loss or a coordinate exceeds this."
    )
    gradient_below: NotNegative = Field(
        1e-4, description="A lane has converged when no component of its gradient is larger."
    )
    minimum_within: Positive = Field(
        1e-2, description="Distance at which a known minimum counts as reached."
    )
    patience: Count | None = Field(
        None,
        description="At the end of the steps, so many without movement are a stall, and without "
        "a new lowest loss an oscillation; absent: a tenth of the steps, at least 10.",
    )
    snapshots: Annotated[tuple[Index, ...], AfterValidator(_distinct)] = Field(
        (), description="Steps whose loss and point are kept."
    )
    sharpness: Annotated[tuple[Index, ...], AfterValidator(_distinct)] = Field(
        (), description="Steps at which the largest eigenvalue of the Hessian is kept."
    )
    keep: Literal["lanes", "reduced"] = Field(
        "lanes", description="Keep every lane, or only shares and quantiles across starts."
    )
    watch: bool = Field(
        True,
        description="Look at every lane at every step, or (false, much faster) only at its last.",
    )
    backend: Literal["auto", "vmap", "scalar", "kernel"] = Field(
        "auto", description="How lanes are computed; auto takes the fastest that can."
    )
    block: Count | None = Field(
        None,
        description="The most lanes that run together, part of a run's identity; absent: from "
        "65,536 for large states of a lane to 262,144 (1,048,576 on a GPU) for small ones.",
    )

    @model_validator(mode="after")
    def _within_steps(self) -> Self:
        for name in ("snapshots", "sharpness"):
            at = getattr(self, name)
            late = [i for i, step in enumerate(at) if step > self.steps]
            if late:
                message = f"{at[late[0]]} is beyond the last step, steps = {self.steps}"
                raise SpecError([Fault((name, late[0]), message)])
        return self


class MovingSection(RunSection):
    """The `[run]` table of an experiment that shows how lanes move: at least by one step."""

    steps: Count = Field(1000, description="Updates a lane may take.")


class ExperimentConfig(Section):
    """The keys that open every config; an experiment's own Config adds its tables."""

    experiment: Text = Field(description="The experiment's name, or a .py file beside the config.")
    title: Text = Field("", description="The question that this config answers.")
    seed: Seed = Field(0, description="The run's base random seed.")
    precision: Literal["float32", "float64", "bfloat16"] = Field(
        "float32", description="The floating-point type of points and losses."
    )


class _AnyRun(RunSection):
    model_config = ConfigDict(extra="ignore")


class UsualConfig(ExperimentConfig):
    """The tables that most experiments have, for a config whose experiment is not known."""

    loss: LossField | None = None
    starts: StartsField | None = None
    run: _AnyRun | None = None
    optimizers: OptimizersField | None = None
