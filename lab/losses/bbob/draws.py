"""The random numbers of COCO's `bbob` suite, from which optima and rotations are made.

The generator is Park and Miller's (multiplier 16807, modulus 2^31 - 1) with a shuffle of 32
places; it must be the same to the last bit, as every instance is defined by it.
"""

import math
from functools import cache

import numpy as np

MODULUS, MULTIPLIER, PLACES, WARM_UP = 2**31 - 1, 16807, 32, 40
SHUFFLE_BY = 67108865


def uniform(count: int, seed: int) -> np.ndarray:
    """So many numbers in (0, 1)."""
    state, table = max(1, abs(seed)), [0] * PLACES
    for place in reversed(range(WARM_UP)):
        state = MULTIPLIER * state % MODULUS
        if place < PLACES:
            table[place] = state
    last, numbers = table[0], np.empty(count)
    for k in range(count):
        state = MULTIPLIER * state % MODULUS
        place = last // SHUFFLE_BY
        last, table[place] = table[place], state
        numbers[k] = last / 2.147483647e9
    return np.where(numbers == 0, 1e-99, numbers)


def normal(count: int, seed: int) -> np.ndarray:
    """So many numbers of the normal distribution, by Box and Muller's cosine."""
    u = uniform(2 * count, seed)
    pairs = zip(u[:count].tolist(), u[count:].tolist(), strict=True)
    # By the C library's functions, as NumPy's differ in last bits.
    numbers = [math.sqrt(-2 * math.log(r)) * math.cos(2 * math.pi * turn) for r, turn in pairs]
    return np.array([number or 1e-99 for number in numbers])


@cache
def rotation(dimension: int, seed: int) -> np.ndarray:
    """An orthogonal matrix: normal numbers, column by column, through Gram and Schmidt."""
    columns = normal(dimension**2, seed).reshape(dimension, dimension)
    for i in range(dimension):
        for j in range(i):
            columns[i] -= _dot(columns[i], columns[j]) * columns[j]
        columns[i] /= np.sqrt(_dot(columns[i], columns[i]))
    return columns.T


def _dot(u: np.ndarray, v: np.ndarray) -> float:
    """Summed from first to last, as COCO does: Gram and Schmidt amplify rounding."""
    return float(np.cumsum(u * v)[-1])


def optimum(dimension: int, seed: int) -> np.ndarray:
    """A point in [-4, 4], of four decimals, no coordinate 0."""
    x = 8 * np.floor(1e4 * uniform(dimension, seed)) / 1e4 - 4
    return np.where(x == 0, -1e-5, x)


def lowest_value(seed: int) -> float:
    """A ratio of two normal numbers, to two decimals, at most 1000 in size."""
    ratio = normal(1, seed)[0] / normal(1, seed + 1)[0]
    return float(np.clip(np.floor(1e4 * ratio + 0.5) / 100, -1000, 1000))
