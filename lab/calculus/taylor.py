"""Taylor polynomials of a formula of x, by arithmetic of power series: right at any degree.

Nested gradients double their work with each order; here each operation of the formula becomes one
on coefficients, exact but for rounding, in O(degree^2).

Source: Griewank & Walther 2008, *Evaluating Derivatives*, table 13.2.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from lab.calculus.functions import Function
from lab.errors import LabError
from lab.losses.base import Scalar

Series = Any
"""Coefficients c_0 ... c_n of sum c_k t^k."""


def multiply(a: Series, b: Series) -> Series:
    """Its k-th coefficient is c_k = sum_j a_j b_(k-j)."""
    return jnp.convolve(a, b)[: len(a)]


def divide(a: Series, b: Series) -> Series:
    """Its k-th coefficient is c_k = (a_k - sum_(j<k) c_j b_(k-j)) / b_0."""
    return _filled(a[0] / b[0], a, lambda k, c: (a[k] - _paired(c, b, k)) / b[0])


def exponential(a: Series) -> Series:
    """Its k-th coefficient is c_k = 1/k sum_(j<k) c_j (k - j) a_(k-j)."""
    slope = _index(a) * a
    return _filled(jnp.exp(a[0]), a, lambda k, c: _paired(c, slope, k) / k)


def logarithm(a: Series) -> Series:
    """Its k-th coefficient is c_k = (k a_k - sum_(j<k) j c_j a_(k-j)) / (k a_0)."""
    index = _index(a)
    return _filled(
        jnp.log(a[0]), a, lambda k, c: (k * a[k] - _paired(index * c, a, k)) / (k * a[0])
    )


def power(a: Series, exponent: float) -> Series:
    """Its k-th coefficient is c_k = sum_(j<k) (p (k - j) - j) a_(k-j) c_j / (k a_0).

    Whole powers are products, right where a_0 = 0 too.
    """
    if exponent == int(exponent) and 0 <= exponent <= 1024:
        product = jnp.zeros_like(a).at[0].set(1)
        for bit in f"{int(exponent):b}":
            product = multiply(product, product)
            product = multiply(product, a) if bit == "1" else product
        return product
    index = _index(a)

    def term(k: Any, c: Series) -> Scalar:
        rising = exponent * _paired(c, index * a, k) - _paired(index * c, a, k)
        return rising / (k * a[0])

    return _filled(a[0] ** exponent, a, term)


def sine(a: Series) -> Series:
    """S' = C a', with C' = -S a'."""
    return _sine_cosine(a)[0]


def cosine(a: Series) -> Series:
    """C' = -S a', with S' = C a'."""
    return _sine_cosine(a)[1]


def _sine_cosine(a: Series) -> tuple[Series, Series]:
    slope = _index(a) * a
    start = tuple(jnp.zeros_like(a).at[0].set(value) for value in (jnp.sin(a[0]), jnp.cos(a[0])))

    def fill(k: Any, found: tuple[Series, Series]) -> tuple[Series, Series]:
        s, c = found
        return s.at[k].set(_paired(c, slope, k) / k), c.at[k].set(-_paired(s, slope, k) / k)

    return lax.fori_loop(1, len(a), fill, start)


def _index(a: Series) -> Series:
    return jnp.arange(len(a), dtype=a.dtype)


def _paired(c: Series, b: Series, k: Any) -> Scalar:
    """The sum over j < k of c_j b_(k-j)."""
    j = jnp.arange(len(c))
    return jnp.sum(jnp.where(j < k, c * b[jnp.clip(k - j, 0)], 0.0))


def _filled(first: Scalar, like: Series, term: Callable[[Any, Series], Scalar]) -> Series:
    start = jnp.zeros_like(like).at[0].set(first)
    return lax.fori_loop(1, len(like), lambda k, c: c.at[k].set(term(k, c)), start)


RULES: dict[str, Callable[..., Series]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": multiply,
    "/": divide,
    "negative": lambda a: -a,
    "exp": exponential,
    "log": logarithm,
    "sin": sine,
    "cos": cosine,
    "sqrt": lambda a: power(a, 0.5),
}


def taylor_coefficients(f: Function, x: Scalar, degree: int) -> Series:
    """f^(k)(x) / k! for k = 0 ... degree.

    Raises:
        LabError: when the formula holds what there is no rule for.
    """
    stack: list[Any] = []
    program = f.expression.program
    for index, step in enumerate(program):
        values = stack[len(stack) - step.count :]
        del stack[len(stack) - step.count :]
        if step.kind == "constant":
            stack.append(jnp.zeros(degree + 1, x.dtype).at[0].set(step.what))
        elif step.kind == "variable":
            stack.append(jnp.zeros(degree + 1, x.dtype).at[0].set(x).at[1:2].set(1))
        elif step.kind == "power" and program[index - 1].kind == "constant":
            stack.append(power(values[0], float(program[index - 1].what)))
        elif step.kind == "apply" and step.what in RULES:
            stack.append(RULES[step.what](*values))
        else:
            known = ", ".join(RULES)
            raise LabError(f"{f.text!r} has no Taylor rule for {step.what or step.kind}: {known}")
    return stack.pop()


def taylor_values(coefficients: Series, t: Scalar) -> Series:
    """The values at x + t of the polynomials of degree 0 ... n: partial sums of c_k t^k."""
    powers = jnp.cumprod(jnp.full_like(coefficients, t).at[0].set(1))
    return jnp.cumsum(coefficients * powers)
