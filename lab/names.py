"""The names that results use themselves, so that no swept parameter can have them."""

from lab import reduce
from lab.record import LANE, Best, HittingTime, Last, Snapshots
from lab.sharpness import Sharpness

STORED = (
    LANE,
    *(recorder.variables for recorder in (Last, Best, HittingTime, Snapshots, Sharpness)),
    reduce.VARIABLES,
)
"""What is stored of lanes, or of their counts, with the dimensions that it has."""

RESERVED = frozenset(
    {"seed", "start", "dim", "known_minimum", "minima", "minimum_loss"}  # of every dataset
    | {"step", "point", "loss"}  # of a replay
    | {"quantile", "lanes"}  # of a summary
    | {name for kept in STORED for name in kept}
    | {dim for kept in STORED for variable in kept.values() for dim in variable.dims}
)
"""Names in a dataset of results that no parameter may take."""
