"""Reductions across starts, made on the device: counts, which add up in any order, bit for bit.

Quantiles of a million losses are read off a histogram over the logarithm, 40 bins a decade, so
they are right to 3 percent; shares and hitting counts are exact. Both are sums of whole numbers:
the number of blocks, devices or interruptions cannot change them.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lab.outcome import Outcome
from lab.record import Variable

DECADES = (-16, 16)
BINS_A_DECADE = 40
BINS = (DECADES[1] - DECADES[0]) * BINS_A_DECADE + 2
"""The bins between, one below for what is (rounded to) zero, one above for what is infinite."""

LANES = 65536
"""The most lanes in a block: 32 bits hold the sums of the lower halves of so many steps."""

ROWS = 1024
"""The most (setting, seed) rows in a block: the histograms of a block stay within memory."""

VARIABLES = {
    "lane_count": Variable((), "lanes"),
    "outcome_count": Variable(("outcome",), "lanes by outcome"),
    "minimum_count": Variable(("known_minimum",), "lanes that reached each known minimum"),
    "final_loss_count": Variable(("bin",), "lanes by final loss above the known minimum"),
    "best_loss_count": Variable(("bin",), "lanes by lowest loss above the known minimum"),
    "hit_step_count": Variable(("target", "bin"), "lanes by the step that hit the target"),
    "hit_count": Variable(("target",), "lanes that hit the target"),
    "work": Variable(("target",), "steps that all lanes took until the target, or until they ended",
                     "step"),
}  # fmt: skip


def bin_values() -> Float[np.ndarray, " bin"]:
    """The value that stands for each bin: its geometric middle; 0 and infinity at the ends."""
    exponents = DECADES[0] + (np.arange(BINS - 2) + 0.5) / BINS_A_DECADE
    return np.concatenate([[0.0], 10.0**exponents, [np.inf]])


def bin_of(value: Float[Array, "..."]) -> Int[Array, "..."]:
    """The index of the bin that holds each value."""
    value = value.astype(
        jnp.promote_types(value.dtype, jnp.float32)
    )  # bfloat16 has no digits for it
    tiny = jnp.asarray(jnp.finfo(value.dtype).tiny, value.dtype)
    place = (jnp.log10(jnp.maximum(value, tiny)) - DECADES[0]) * BINS_A_DECADE
    return jnp.clip(jnp.floor(place) + 1, 0, BINS - 1).astype(jnp.int32)


def counts(
    results: Mapping[str, Array],
    minimum: Float[Array, " lane"],
    row: Int[Array, " lane"],
    rows: int,
    minima: int,
) -> dict[str, Array]:
    """What `VARIABLES` names, for each row, from the results of single lanes.

    Args:
        results: outcome, steps, minimum, final_loss, best_loss, hit_step of each lane.
        minimum: the lowest known loss of each lane.
        row: which row a lane adds to; `rows` for padding, which adds to none.
        rows: how many rows.
        minima: how many minima are known.
    """
    failed = (results["outcome"] == Outcome.DIVERGED) | (results["outcome"] == Outcome.LEFT_DOMAIN)
    final = jnp.where(failed, jnp.inf, results["final_loss"] - minimum)
    hit = results["hit_step"]
    work = jnp.where(hit >= 0, hit, results["steps"][:, None]).astype(jnp.uint32)
    target = jnp.arange(hit.shape[1])

    def count(shape: tuple[int, ...], *index: Array, add: Array | int = 1) -> Array:
        total = jnp.zeros((rows, *shape), jnp.uint32)
        return total.at[(row, *index)].add(jnp.asarray(add, jnp.uint32), mode="drop")

    hits = (row[:, None], jnp.broadcast_to(target, hit.shape))

    def count_hits(shape: tuple[int, ...], *index: Array, add: Array) -> Array:
        total = jnp.zeros((rows, hit.shape[1], *shape), jnp.uint32)
        return total.at[(*hits, *index)].add(add, mode="drop")

    was_hit = (hit >= 0).astype(jnp.uint32)
    reached = jnp.where(results["minimum"] < 0, minima, results["minimum"])  # minima: out of range
    return {
        "lane_count": count(()),
        "outcome_count": count((len(Outcome),), results["outcome"].astype(jnp.int32)),
        "minimum_count": count((minima,), reached),
        "final_loss_count": count((BINS,), bin_of(final)),
        "best_loss_count": count((BINS,), bin_of(results["best_loss"] - minimum)),
        "hit_step_count": count_hits((BINS,), bin_of(hit.astype(jnp.float32)), add=was_hit),
        "hit_count": count_hits((), add=was_hit),
        # A block's sum of steps can pass 2^32; its two halves cannot, for `LANES`.
        "work": count_hits((), add=work & 0xFFFF),
        "work_high": count_hits((), add=work >> 16),
    }


def merge_halves(counts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The counts as 64-bit integers, with the two halves of `work` put together."""
    wide = {name: np.asarray(value, np.int64) for name, value in counts.items()}
    wide["work"] += wide.pop("work_high") << 16
    return wide
