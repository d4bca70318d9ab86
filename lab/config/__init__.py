"""TOML in, validated objects out; every fault at once, with its file and line.

The rooms, in the order that a config passes through them: `reading` (bytes to a table),
`positions` (where each key stands), `overrides` (`key=value` and `[smoke]`), `sweeps` (lists and
ranges to arrays), `fields` and `models` (tables to losses, starts and optimizers), `messages`
(faults in words), `document` (all of it together), `schema` (for editors). Nothing here imports
jax until a loss, starts or an optimizer is built.
"""

from lab.config.document import Document, load
from lab.config.fields import FunctionField, LossField, OptimizersField, StartsField, SweepField
from lab.config.messages import ConfigError
from lab.config.models import (
    Count,
    ExperimentConfig,
    Finite,
    Index,
    MovingSection,
    Positive,
    RunSection,
    Section,
    Side,
    Text,
)
from lab.config.schema import schema

__all__ = [
    "ConfigError",
    "Count",
    "Document",
    "ExperimentConfig",
    "Finite",
    "FunctionField",
    "Index",
    "LossField",
    "MovingSection",
    "OptimizersField",
    "Positive",
    "RunSection",
    "Section",
    "Side",
    "StartsField",
    "SweepField",
    "Text",
    "load",
    "schema",
]
