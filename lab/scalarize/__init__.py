"""A function of small arrays as the same function of separate scalars.

A lane's state is a few dozen numbers. Held as small arrays under `jax.vmap`, every slice, reshape
and reduction of them is a pass through memory at every step; held as separate scalars, these
vanish, and what is left is straight-line arithmetic that a compiler keeps in registers. And since
it is elementwise, each "scalar" may as well be a row of lanes.

`scalarize` traces a function once and takes its jaxpr apart (`tracing`, with the `rules` of each
primitive, on the `boxes` that hold scalars); `scaling` and `tidy` leave out what was computed twice
or for nothing. What comes out is a `Straight`: a jaxpr whose every value has shape ().
"""

from lab.scalarize.boxes import NotScalar, aval
from lab.scalarize.lookup import Table, lookup
from lab.scalarize.straight import Leaf, Straight, alike, dependent, is_in
from lab.scalarize.tidy import inlined, tidy
from lab.scalarize.tracing import scalarize

__all__ = [
    "Leaf",
    "NotScalar",
    "Straight",
    "Table",
    "alike",
    "aval",
    "dependent",
    "inlined",
    "is_in",
    "lookup",
    "scalarize",
    "tidy",
]
