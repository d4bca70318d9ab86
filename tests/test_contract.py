"""The contract of every optimizer: it survives every loss, and a lane is nobody's neighbour.

Every optimizer meets every loss of the catalogue, the models, bbob, and the problems of More,
Garbow and Hillstrom, from four starts: the standard one (or one by chance), another by chance, a
minimum, and a corner a hundred times the box away. What is asserted after every `descent.step`:

- A lane that was running has the outcome that the words of `lab.outcome.REASONS` give to the
  point, the loss and the gradient that it looked at; so one that goes on was finite in all three.
- A lane that has ended is what it was.
- The same lanes in another order, six of seven replaced by failures, come to the same last bit.

Nothing is compiled for a pair. Losses and gradients are one program for all losses; the rest of a
step is one for each optimizer, which is given f, g and, where it asks for second derivatives, H by
central differences of g. Losses of one variable, and of more than two, are f(x) + |y|^2 with so
many y that all have as many variables. Two optimizers look at a loss in other places than where
they are: Levenberg-Marquardt, run here on every sum of squares, and L-BFGS, whose line search
takes long to compile: it is run on one loss of each kind.
"""

from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_descent import spec_of

import lab
from lab import descent, optimizers
from lab.descent import Descent
from lab.losses import MODELS, bbob, catalogue
from lab.losses.bbob import FUNCTIONS
from lab.outcome import Limits, Outcome

STEPS = 10
LIMITS = Limits(steps=STEPS, diverged_above=1e8, gradient_below=1e-4, patience=5)

NAMES = [n for n, e in optimizers.names().items() if e.kind == "optimizer" and not e.refused]
ELSEWHERE = ("levenberg_marquardt", "lbfgs")
CURVED = {
    *("newton", "damped_newton", "sophia"),
    *("fletcher_reeves", "polak_ribiere", "steepest_descent"),
}
"""Those that take second derivatives."""

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")


class Room:
    """Losses of so many variables, four lanes each, looked at by one program."""

    def __init__(self, losses, width):
        self.losses, self.width = losses, width
        self.starts = np.concatenate([starts(loss, width, i) for i, loss in enumerate(losses)])
        self._look = jax.jit(self._looked)
        self._residuals = jax.jit(self._seen)

    def _looked(self, x):
        rows = x.reshape(len(self.losses), -1, self.width)
        found = [
            jax.vmap(jax.value_and_grad(widened(loss)))(row)
            for loss, row in zip(self.losses, rows, strict=True)
        ]
        return tuple(jnp.concatenate(side) for side in zip(*found, strict=True))

    def _seen(self, x):
        rows = x.reshape(len(self.losses), -1, self.width)
        functions = residuals(self.losses, self.width)
        return jnp.concatenate([jax.vmap(r)(row) for r, row in zip(functions, rows, strict=True)])

    def look(self, x):
        """f and g of all lanes."""
        return tuple(map(np.asarray, self._look(x)))

    def hessians(self, x):
        """H of all lanes, by central differences of g."""
        found = slopes(lambda y: self.look(y)[1], x)
        return (found + found.transpose(0, 2, 1)) / 2

    def residuals(self, x):
        """r of all lanes and its Jacobian, by central differences."""
        return np.asarray(self._residuals(x)), slopes(lambda y: np.asarray(self._residuals(y)), x)


def slopes(function, x):
    """Central differences of vectors [lane, value] along each coordinate: [lane, value, dim]."""
    h = 1e-5 * np.maximum(1, np.abs(x))
    axes = np.eye(x.shape[1])
    with np.errstate(all="ignore"):
        columns = [
            (function(x + h * axis) - function(x - h * axis)) / (2 * h @ axis)[:, None]
            for axis in axes
        ]
    return np.stack(columns, axis=2)


def widened(loss):
    """f(x) + |y|^2, x as many of the variables as the loss has, y the others."""
    n = loss.dimension
    return lambda x: loss(x[:n]) + jnp.sum(x[n:] ** 2)


def residuals(losses, width):
    """The residuals of the widened losses, filled up with zeros to as many as any has."""
    sizes = [jax.eval_shape(one.residuals, np.zeros(one.dimension)).size for one in losses]
    most = max(sizes) + width

    def of(loss, size):
        def r(x):
            zeros = jnp.zeros(most - size - (width - loss.dimension))
            return jnp.concatenate(
                [loss.residuals(x[: loss.dimension]), x[loss.dimension :], zeros]
            )

        return r

    return [of(loss, size) for loss, size in zip(losses, sizes, strict=True)]


def starts(loss, width, seed):
    """[4, width]: the standard start or one by chance, another, a minimum, and far away."""
    random = np.random.default_rng(seed).uniform(loss.low, loss.high, (3, loss.dimension))
    minima = loss.minima()
    first = loss.start() if loss.start() is not None else random[0]
    points = [first, random[1], minima[0] if len(minima) else random[2], 100 * loss.high]
    return np.pad(np.array(points, float), ((0, 0), (0, width - loss.dimension)))


@cache
def every_loss():
    """All there are, at their default sizes."""
    named = {**catalogue, **MODELS}
    return [*(family() for family in named.values()), *(bbob(number) for number in FUNCTIONS)]


def rooms_of(losses):
    """The losses of at most two variables, and the others."""
    small = [loss for loss in losses if loss.dimension <= 2]
    large = [loss for loss in losses if loss.dimension > 2]
    widest = max(loss.dimension for loss in every_loss())
    return [Room(some, width) for some, width in ((small, 2), (large, widest)) if some]


@cache
def rooms():
    """Of every loss."""
    return rooms_of(every_loss())


@cache
def rooms_of_squares():
    """Of every loss that is a sum of squares."""
    return rooms_of([loss for loss in every_loss() if loss.residual_function is not None])


@jax.custom_jvp
def told(x, f, g, h):
    """A loss that is known at one point only: its value there, and by `jvp` its derivatives."""
    return f


@jax.custom_jvp
def told_slope(x, g, h):
    return g


@told.defjvp
def _(primals, tangents):
    x, f, g, h = primals
    return f, jnp.sum((g if h is None else told_slope(x, g, h)) * tangents[0])


@told_slope.defjvp
def _(primals, tangents):
    return primals[1], primals[2] @ tangents[0]


@jax.custom_jvp
def told_residuals(x, r, jacobian):
    return r


@told_residuals.defjvp
def _(primals, tangents):
    return primals[1], primals[2] @ tangents[0]


class Seen(NamedTuple):
    """What a step is given of a lane's loss at its point."""

    f: np.ndarray
    g: np.ndarray
    h: np.ndarray | None = None
    r: tuple[np.ndarray, np.ndarray] | None = None


def transformation(name, number):
    """The optimizer, with the random key of the lane of that number."""
    optimizer = lab.optimizer(name, **spec_of(name))
    values = {key: swept[0].item() for key, swept in optimizer.swept.items()}
    return optimizer.build(values, key=jax.random.fold_in(jax.random.key(0), number))


def given(name, room, number, seen):
    """A descent that knows its loss by what was seen of it."""
    loss = lambda x, t: told(x, seen.f, seen.g, seen.h)  # noqa: E731
    known = None if seen.r is None else lambda x: told_residuals(x, *seen.r)
    return Descent(loss, transformation(name, number), (), LIMITS, jnp.zeros(()), known)


def whole(name, room, number, seen):
    """A descent that may look at its loss anywhere."""
    which = number // 4
    branches = [widened(loss) for loss in room.losses]
    squares = None
    if name == "levenberg_marquardt":
        functions = residuals(room.losses, room.width)
        squares = lambda x: jax.lax.switch(which, functions, x)  # noqa: E731
    loss = lambda x, t: jax.lax.switch(which, branches, x)  # noqa: E731
    return Descent(loss, transformation(name, number), (), LIMITS, jnp.zeros(()), squares)


def stepper(name, room, descent_of, each):
    """`step(t, numbers, x0, lanes, seen) -> lanes`, compiled; at t = 0 it begins the lanes."""

    def step(t, number, x0, lane, seen):
        own = descent_of(name, room, number, seen)
        lane = descent.select(t == 0, descent.init(own, x0), lane)
        return descent.step(own, t, lane)

    program = jax.jit(lambda t, *lanes: each(partial(step, t), lanes))

    def blank(numbers, x0, seen):
        def begin(number, x0, seen):
            return descent.init(descent_of(name, room, number, seen), x0)

        first = jax.tree.map(lambda a: a[0], (numbers, x0, seen))
        return jax.tree.map(lambda leaf: unset(leaf, len(x0)), jax.eval_shape(begin, *first))

    return program, blank


def unset(leaf, count):
    """Something of the shape and type of a leaf, for so many lanes."""
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.split(jax.random.key(0), (count, *leaf.shape))
    return jnp.zeros((count, *leaf.shape), leaf.dtype)


def verdict(x, f, g):
    """The outcomes of lanes that find these, RUNNING where they go on, from the words alone."""
    with np.errstate(invalid="ignore"):
        far = ~(np.abs(x).max(axis=1) <= LIMITS.diverged_above)
        far |= np.isinf(f) | (f > LIMITS.diverged_above)
        lost = np.isnan(f) | ~np.isfinite(g).all(axis=1)
        flat = np.abs(g).max(axis=1) <= LIMITS.gradient_below
    found = np.where(flat, Outcome.CONVERGED, Outcome.RUNNING)
    return np.where(far, Outcome.DIVERGED, np.where(lost, Outcome.LEFT_DOMAIN, found))


def walked(run, look, numbers, x0):
    """The lanes after every step, each step held against the contract."""
    program, blank = run
    seen = look(x0)
    lanes = blank(numbers, x0, seen)
    x, outcome = x0, np.zeros(len(x0), int)
    for t in range(STEPS):
        seen = look(x)
        lanes = program(jnp.int32(t), numbers, x0, lanes, seen)
        running, before = outcome == Outcome.RUNNING, x
        x, outcome, loss = (np.asarray(a) for a in (lanes.x, lanes.outcome, lanes.loss))
        np.testing.assert_array_equal(outcome[running], verdict(before, seen.f, seen.g)[running])
        on = outcome == Outcome.RUNNING
        assert np.isfinite(before[on]).all() and np.isfinite(loss[on]).all()
        assert set(np.unique(outcome)) <= set(map(int, Outcome)) and not np.any(on & ~running)
        np.testing.assert_array_equal(x[~on], before[~on])
    return lanes


def survive(name, room, descent_of=given, each=lambda one, lanes: jax.vmap(one)(*lanes)):
    """Every loss of the room, and then a seventh of the lanes among failures, in another order."""

    def look(order, x):
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        x = x[place]  # as the room has them
        f, g = room.look(x)
        h = room.hessians(x)[order] if name in CURVED else None
        r = room.residuals(x) if name == "gauss_newton" else None
        return Seen(f[order], g[order], h, None if r is None else tuple(a[order] for a in r))

    run = stepper(name, room, descent_of, each)
    order = np.arange(len(room.starts))
    together = walked(run, partial(look, order), order, room.starts)
    assert len(np.unique(together.outcome)) > 1
    chosen = np.arange(len(order)) % 7 == 3
    some = np.where(chosen[:, None], room.starts, np.nan)
    back = order[::-1].copy()
    apart = walked(run, partial(look, back), back, some[back])
    for key in ("x", "loss", "steps", "moved", "lowest", "lowest_at", "outcome"):
        one, other = np.asarray(getattr(together, key)), np.asarray(getattr(apart, key))
        np.testing.assert_array_equal(other[::-1][chosen], one[chosen], key)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ELSEWHERE])
def test_every_optimizer_survives_every_loss(name):
    for room in rooms_of_squares() if name == "gauss_newton" else rooms():
        survive(name, room)


def one_by_one(one, lanes):
    """A switch takes one branch only if lanes come one after the other."""
    return jax.lax.map(lambda lane: one(*lane), lanes)


def test_levenberg_marquardt_survives_every_sum_of_squares():
    for room in rooms_of_squares():
        survive("levenberg_marquardt", room, whole, one_by_one)


def test_lbfgs_survives_a_loss_of_each_kind():
    kinds = {family.kind: family() for family in catalogue.values()}
    for room in rooms_of([*kinds.values(), MODELS["softmax_regression"](), bbob(21)]):
        survive("lbfgs", room, whole, one_by_one)


def test_all_losses_are_here():
    assert {loss.name for loss in every_loss()} >= {*catalogue, *MODELS}
    assert sum(len(room.losses) for room in rooms()) == len(catalogue) + len(MODELS) + 24
