"""Backends: how a block of lanes begins, takes its steps, and is closed.

All the time of a run goes into these. All take the same step, `lab.descent.step` (or `march`), and
give the same results up to rounding.

`vmap` carries each lane's arrays through memory at every step, whatever the step is. `scalar`
takes the step apart (`lab.scalarize`) and carries one row of lanes for each number of a lane's
state, and one number for what is the same in all of them. `kernel` makes one piece of machine code
of that, whose state stays in registers from the first step to the last (`lab.kernels`).
"""

from lab.backends.choice import Choice, choose
from lab.backends.forms import Backend, backend_for
from lab.backends.scalars import flat
from lab.backends.stages import Ends, Stage

__all__ = ["Backend", "Choice", "Ends", "Stage", "backend_for", "choose", "flat"]
