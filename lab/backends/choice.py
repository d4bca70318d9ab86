"""Which backend runs a problem, and why."""

from typing import TYPE_CHECKING, NamedTuple

from lab.backends.scalars import traced
from lab.backends.sums import summed
from lab.errors import Fault, SpecError
from lab.kernels import missing
from lab.scalarize import NotScalar

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem

FEW, MOST = 128, 2_000
"""Scalar operations in a step that XLA computes in rows faster than under `vmap`: so many in any
case and, where lanes are only looked at when they end, many more. It would compute what several
results share once for each of them."""


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
    reasons: dict[str, str] = {}
    for name in ("kernel", "scalar") if asked == "auto" else (asked,):
        reason = obstacle(problem, inputs, name, platform, picky=asked == "auto")
        if reason is None:
            return Choice(name, _why(asked, reasons))
        reasons[name] = reason
    if asked == "auto":
        return Choice("vmap", _why(asked, reasons))
    message = f'{asked!r} cannot run this: {reasons[asked]}; "auto" takes what can'
    raise SpecError([Fault(("backend",), message)])


def obstacle(
    problem: "Problem", inputs: "Inputs", backend: str, platform: str, picky: bool
) -> str | None:
    """Why a backend other than `vmap` cannot run a problem; None if it can.

    Args:
        problem: what is to be run.
        inputs: its inputs.
        backend: "scalar" or "kernel".
        platform: of the devices.
        picky: whether being slower than `vmap` is a reason.
    """
    try:
        loop = traced(problem, inputs).loop
    except NotScalar as reason:
        return f"the step holds {reason}, which cannot be taken apart into scalars"
    if backend == "kernel":
        return missing(summed(problem, inputs).loop, platform)
    size = len(loop.step.jaxpr.eqns)
    most = FEW if problem.watch else MOST
    if picky and size > most:
        return f"a step is {size:,} operations, and XLA is faster in rows up to {most:,}"
    return None


def _why(asked: str, reasons: dict[str, str]) -> str:
    if asked != "auto":
        return "as asked"
    if not reasons:
        return "the fastest, and it can do all that the step does"
    told = dict.fromkeys(reasons.values())  # once, where both have the same
    return "; ".join(
        f"no {' or '.join(n for n, r in reasons.items() if r == reason)}: {reason}"
        for reason in told
    )
