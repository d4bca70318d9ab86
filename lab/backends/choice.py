"""Which backend runs a problem, and why."""

from typing import TYPE_CHECKING, NamedTuple

from lab.backends.loops import loop_for
from lab.errors import Fault, SpecError
from lab.kernels import missing
from lab.scalarize import NotScalar

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem

MOST_EQUATIONS = {"kernel": 20_000, "scalar": 5_000}
"""Scalar equations in a step beyond which compiling takes minutes."""


class Choice(NamedTuple):
    """A backend and the reason for it, in words that follow its name."""

    backend: str
    why: str


def choose(problem: "Problem", inputs: "Inputs", asked: str, platform: str) -> Choice:
    """The fastest backend that can run a problem, or the one that is asked for.

    Raises:
        SpecError: when the one that is asked for cannot run it, with the reason.
    """
    if asked == "vmap":
        return Choice("vmap", "as asked")
    reasons = {}
    for name in ("kernel", "scalar") if asked == "auto" else (asked,):
        reason = obstacle(problem, inputs, name, platform)
        if reason is None:
            return Choice(name, _why(asked, reasons))
        reasons[name] = reason
    if asked == "auto":
        return Choice("vmap", _why(asked, reasons))
    message = f'{asked!r} cannot run this: {reasons[asked]}; "auto" takes what can'
    raise SpecError([Fault(("backend",), message)])


def obstacle(problem: "Problem", inputs: "Inputs", backend: str, platform: str) -> str | None:
    """Why a backend other than `vmap` cannot run a problem; None if it can."""
    try:
        loop = loop_for(problem, inputs)
    except NotScalar as reason:
        return f"the step holds {reason}, which cannot be taken apart into scalars"
    size, most = len(loop.step.jaxpr.eqns), MOST_EQUATIONS[backend]
    if size > most:
        return f"a step is {size:,} scalar operations, and it compiles at most {most:,}"
    return missing(loop, platform) if backend == "kernel" else None


def _why(asked: str, reasons: dict[str, str]) -> str:
    if asked != "auto":
        return "as asked"
    if not reasons:
        return "the fastest, and it can do all that the step does"
    return "; ".join(f"no {name}: {reason}" for name, reason in reasons.items())
