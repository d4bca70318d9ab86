"""Derives the polynomials of `lab.kernels.elementary` and prints them with their errors.

Run with a Python that has mpmath (not one of the lab's requirements), for all or by name:

    python tests/oracles/minimax.py [exp log ...]

Remez's exchange in 60 digits: the p of the stated degrees (of float32, of float64) for which the
largest of |p(x) - f(x)| w(x) is least. The weight w makes that the relative error of the whole
function, so that the printed `error` compares with half an ulp: 2^-25 for float32, 2^-54 for
float64.
"""

import sys

import mpmath as mp

mp.mp.dps = 60
POINTS = 40  # of the grid on which extrema are sought, between two nodes


def remez(f, w, low, high, degree, rounds=7):
    """The coefficients of p, lowest first, and max |p - f| w on [low, high]."""
    low, high, size = mp.mpf(low), mp.mpf(high), degree + 2

    def place(i, count):
        return (low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / count)

    grid = [place(i, POINTS * size) for i in range(POINTS * size + 1)]
    values = [f(x) for x in grid]
    weights = [abs(w(x)) + mp.mpf("1e-12") for x in grid]
    picked = [POINTS * size * i // (size - 1) for i in range(size)]
    for _ in range(rounds):
        rows = [[grid[i] ** k for k in range(degree + 1)] for i in picked]
        system = mp.matrix([[*row, (-1) ** j / weights[picked[j]]] for j, row in enumerate(rows)])
        solved = mp.lu_solve(system, mp.matrix([values[i] for i in picked]))
        p = list(solved)[: degree + 1]
        errors = [
            (mp.polyval(p[::-1], x) - v) * e for x, v, e in zip(grid, values, weights, strict=True)
        ]
        picked = alternating(errors, size)
    return p, max(map(abs, errors))


def alternating(errors, size):
    """The places of `size` extrema of alternating sign, the largest."""
    best = []
    for i, error in enumerate(errors):
        if best and (error > 0) == (errors[best[-1]] > 0):
            if abs(error) > abs(errors[best[-1]]):
                best[-1] = i
        else:
            best.append(i)
    while len(best) > size:
        best.pop(0 if abs(errors[best[0]]) < abs(errors[best[-1]]) else -1)
    if len(best) < size:
        raise ArithmeticError(
            f"{len(best)} extrema of {size}: raise the precision or lower the degree"
        )
    return best


HALF_LN2 = mp.log(2) / 2


def tail(function, leading, power):
    """(function - leading) / x^power, with enough digits near 0."""

    def value(x):
        with mp.workdps(400):
            x = mp.mpf(x) if x else mp.mpf("1e-60")
            return (function(x) - leading(x)) / x**power

    return value


def odd(function):
    """q of function(x) = x + x³ q(x²), as a function of z = x²."""
    return lambda z: tail(function, lambda x: x, 3)(mp.sqrt(z) if z else 0)


def odd_weight(function):
    """The share of x³ in function(x)."""

    def value(z):
        x = mp.sqrt(z)
        return x**3 / function(x) if x else 0

    return value


def erf_excess(z):
    x = mp.sqrt(max(z, mp.mpf("1e-40")))
    return mp.erf(x) / x - 1


K = 3


def scaled_erfc(centre):
    """p of exp(x²) erfc(x) = t p(t - centre), t = 1/(x + K)."""

    def value(v):
        x = 1 / (v + centre) - K
        return mp.exp(x * x) * mp.erfc(x) / (v + centre)

    return value, lambda v: 1 / value(v)


def erf_inv_ratio(w):
    """g of erf_inv(x) = x g(w), w = -log(1 - x²): by Newton's method on log erfc."""
    x = mp.sqrt(-mp.expm1(-w))
    target = mp.log(mp.exp(-w) / (1 + x))
    y = mp.sqrt(w) * mp.mpf("0.9")
    for _ in range(12):
        tail = mp.erfc(y)
        y += (mp.log(tail) - target) * tail * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
    return y / x


def erf_inv_central(centre):
    """p of g = √π/2 + w p(w - centre)."""

    def value(v):
        w = max(v + centre, mp.mpf("1e-15"))
        return (erf_inv_ratio(w) - mp.sqrt(mp.pi) / 2) / w

    return value, lambda v: (v + centre) / erf_inv_ratio(max(v + centre, mp.mpf("1e-15")))


def erf_inv_tail(centre):
    """p of g = p(√w - centre)."""
    return (
        lambda v: erf_inv_ratio((v + centre) ** 2),
        lambda v: 1 / erf_inv_ratio((v + centre) ** 2),
    )


WANTED = {
    # e^r = 1 + r + r² q(r); the relative error of e^r - 1 is the stricter one.
    "exp": (
        tail(mp.expm1, lambda r: r, 2),
        lambda r: r * r / mp.expm1(r) if r else 0,
        (-HALF_LN2 * 1.001, HALF_LN2 * 1.001),
        (4, 9),
    ),
    # log(1 + f) = f - f²/2 + f³ q(f)
    "log": (
        tail(mp.log1p, lambda f: f - f * f / 2, 3),
        lambda f: f**3 / mp.log1p(f) if f else 0,
        (mp.sqrt(0.5) - 1, mp.sqrt(2) - 1),
        (7, 8),
    ),
    # atanh(s) = s + s³ q(s²), |s| <= (√2 - 1)/(√2 + 1)
    "atanh": (odd(mp.atanh), odd_weight(mp.atanh), (0, 0.0295), (2, 6)),
    # 3 atanh(s) = s (3 + z + z² q(z)), z = s²
    "power": (
        lambda z: 3 * tail(mp.atanh, lambda s: s + s**3 / 3, 5)(mp.sqrt(z)),
        lambda z: z * z / 3,
        (0, 0.0295),
        (2, 6),
    ),
    "sin": (odd(mp.sin), odd_weight(mp.sin), (0, (mp.pi / 4 + 0.012) ** 2), (2, 5)),
    "tan": (odd(mp.tan), odd_weight(mp.tan), (0, (mp.pi / 4 + 0.012) ** 2), (6, 13)),
    "atan": (odd(mp.atan), odd_weight(mp.atan), (0, 0.2501), (4, 12)),
    "asin": (odd(mp.asin), odd_weight(mp.asin), (0, 0.25), (4, 12)),
    # erf(x) = x + x p(x²)
    "erf": (erf_excess, lambda z: 1 / (1 + erf_excess(z)), (0, 1), (6, 11)),
    # exp(x²) erfc(x) = t p(t - centre), t = 1/(x + K)
    "erfc_float32": (*scaled_erfc(0.16), (1 / (10.2 + K) - 0.16, 1 / (1 + K) - 0.16), (8,)),
    "erfc_float64": (*scaled_erfc(0.14), (1 / (27 + K) - 0.14, 1 / (1 + K) - 0.14), (18,)),
    # erf_inv: below and above w = 6.25 in float32 (log2(2^24) ln 2 = 16.7 at most), 8 in float64
    "erf_inv_central_float32": (*erf_inv_central(3), (-3, 3.26), (9,)),
    "erf_inv_tail_float32": (*erf_inv_tail(3), (-0.501, 1.09), (7,)),
    "erf_inv_central_float64": (*erf_inv_central(4), (-4, 4.01), (26,)),
    "erf_inv_tail_float64": (*erf_inv_tail(4), (-1.173, 2.067), (25,)),
    # cos r = 1 - z/2 + z² q(z), z = r²
    "cos": (
        lambda z: tail(mp.cos, lambda r: 1 - r * r / 2, 4)(mp.sqrt(z)),
        lambda z: z * z,
        (0, (mp.pi / 4 + 0.012) ** 2),
        (2, 5),
    ),
}


def main(names):
    for name in names or WANTED:
        f, w, (low, high), degrees = WANTED[name]
        for degree in degrees:
            p, error = remez(f, w, low, high, degree)
            print(f"{name}, degree {degree}: error 2^{mp.nstr(mp.log(error, 2), 4)}")
            print("   ", ", ".join(mp.nstr(c, 9 if error > 2**-45 else 17) for c in p) + ",")


if __name__ == "__main__":
    main(sys.argv[1:])
