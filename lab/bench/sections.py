"""The tables of a config that times: what, against whom, how often."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lab import config
from lab.peers.task import own_dimension

Backend = Literal["auto", "vmap", "scalar", "kernel"]
PeerName = Literal[
    "plain_jax", "numpy_loop", "torch_eager", "torch_compile", "c_openmp", "cuda", "optimistix_peer"
]


def _several(value: Any) -> Any:
    """One value stands for a list of it."""
    return value if isinstance(value, list | tuple) else [value]


Counts = Annotated[tuple[config.Count, ...], BeforeValidator(_several), Field(min_length=1)]


class LossSection(config.Section):
    """A loss of the catalogue that peers have by hand."""

    name: Literal[
        "rosenbrock", "rastrigin", "three_wells", "tanh_network", "logistic_regression"
    ] = Field(description="The catalogue's name.")
    dimension: Counts = Field((2,), description="One or several; ignored where the loss has one.")
    steps: Counts | None = Field(None, description="In place of those of [tasks].")

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The dimensions to run."""
        known = own_dimension(self.name)
        return (known,) if known else self.dimension


class OptimizerSection(config.Section):
    """An optimizer with its usual settings."""

    name: Literal["sgd", "heavy ball", "adam", "lion"]
    learning_rate: config.Positive = Field(description="So small that no lane diverges.")


class TasksSection(config.Section):
    """What is timed: the product of all lists."""

    losses: tuple[LossSection, ...]
    optimizers: tuple[OptimizerSection, ...]
    lanes: Counts
    steps: Counts = (1000,)
    cores: Counts | None = Field(
        None, description="CPU cores, those that there are not left out; absent: all."
    )
    recording: Annotated[tuple[bool, ...], BeforeValidator(_several)] = (False,)
    repeats: config.Count = Field(7, description="Rounds; in each, every contender runs once.")
    backends: tuple[Backend, ...] = Field(
        ("auto",), min_length=1, description="Of the lab; the first is what others are set against."
    )
    peers: tuple[PeerName, ...] = ()
    most_lanes: dict[PeerName, config.Count] = Field(
        {}, description="Fewer lanes for slow peers; their seconds count per lane-step."
    )


class MemorySection(config.Section):
    """Peak memory of a child process, counts across starts kept."""

    lanes: Counts
    steps: config.Count = 10


class PictureSection(config.Section):
    """The fractal picture of trainability, against the notebook's way."""

    side: Counts
    width: config.Count = 8
    steps: config.Count = 100
    repeats: config.Count = 5
