"""Roots and quotients of 16 floats from AVX-512's estimates: nothing waits for the divider."""

from lab.kernels.cpu.code import Code

VECTOR = "<16 x float>"
"""What these are for."""

HALF = 0.5
"""Times `twice_root`, the root: a product that costs nothing within a sum."""


def twice_root(code: Code, x: str) -> str:
    """Twice the root, as r (3 - r y) with y = 1 / sqrt(x) to 14 bits and r = x y.

    A step of Newton's method for 1 / sqrt(x); within two ulps of the exact root, while the divider,
    which would take a dozen cycles for it, works on something else. The last instruction puts 0,
    infinity and NaN in their places.
    """
    three = "splat (float 0x4008000000000000)"
    y = code.do(code.call(
        "llvm.x86.avx512.rsqrt14.ps.512", VECTOR,
        [(VECTOR, x), (VECTOR, "zeroinitializer"), ("i16", "-1")],
    ))  # fmt: skip
    root = code.do(f"fmul {VECTOR} {x}, {y}")
    minus = code.do(f"fneg {VECTOR} {root}")
    fma = [(VECTOR, minus), (VECTOR, y), (VECTOR, three)]
    correction = code.do(code.call("llvm.fma.v16f32", VECTOR, fma))
    return _fixed(code, code.do(f"fmul {VECTOR} {root}, {correction}"), x, FIXED_ROOTS)


def quotient(code: Code, x: str, y: str) -> str:
    """The quotient x / y as x (1 / y), from 14 bits of 1 / y and one step of Newton's method.

    Within two ulps of the exact quotient, but 0 where y is beyond 2^126. Every other division goes
    this way, so that the divider and the multipliers work side by side.
    """
    one = "splat (float 0x3FF0000000000000)"
    r = code.do(code.call(
        "llvm.x86.avx512.rcp14.ps.512", VECTOR,
        [(VECTOR, y), (VECTOR, "zeroinitializer"), ("i16", "-1")],
    ))  # fmt: skip
    minus = code.do(f"fneg {VECTOR} {y}")
    error = code.do(code.call("llvm.fma.v16f32", VECTOR, [(VECTOR, v) for v in (minus, r, one)]))
    better = code.do(code.call("llvm.fma.v16f32", VECTOR, [(VECTOR, v) for v in (r, error, r)]))
    inverse = code.do(_fixed(code, better, y, FIXED_INVERSES))
    return f"fmul {VECTOR} {x}, {inverse}"


def _fixed(code: Code, result: str, source: str, responses: int) -> str:
    """A result with what it should be for special sources put in their places."""
    table = f"splat (i32 {responses})"
    return code.call(
        "llvm.x86.avx512.mask.fixupimm.ps.512", VECTOR,
        [(VECTOR, result), (VECTOR, source), ("<16 x i32>", table), ("i32", "0"), ("i16", "-1"),
         ("i32", "4")],
    )  # fmt: skip


def _responses(*kinds: int) -> int:
    """What `vfixupimmps` does by the kind of a source: four bits a kind (Intel SDM, table 5-8).

    The kinds are quiet NaN, signalling NaN, 0, 1, -infinity, +infinity, negative, positive.
    """
    return sum(response << (4 * kind) for kind, response in enumerate(kinds))


KEEP, SOURCE, NAN, INFINITY, MINUS_ZERO, ZERO = 0, 1, 2, 6, 7, 8
FIXED_ROOTS = _responses(NAN, NAN, SOURCE, KEEP, NAN, SOURCE, NAN, KEEP)
FIXED_INVERSES = _responses(NAN, NAN, INFINITY, KEEP, MINUS_ZERO, ZERO, KEEP, KEEP)
