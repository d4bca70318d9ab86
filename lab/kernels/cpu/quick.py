"""Roots and quotients of 16 floats from AVX-512's estimates: nothing waits for the divider."""

from lab.kernels.cpu.code import Code


def root(code: Code, x: str) -> str:
    """The root as x / sqrt(x), from 14 bits of 1 / sqrt(x) and one step of Newton's method.

    Within an ulp of the exact root, while the divider, which would take a dozen cycles for it,
    works on something else. The last instruction puts 0, infinity and NaN in their places.
    """
    kind = "<16 x float>"
    half = "splat (float 0x3FE0000000000000)"
    y = code.do(code.call(
        "llvm.x86.avx512.rsqrt14.ps.512", kind,
        [(kind, x), (kind, "zeroinitializer"), ("i16", "-1")],
    ))  # fmt: skip
    root = code.do(f"fmul {kind} {x}, {y}")
    minus = code.do(f"fneg {kind} {root}")
    halved = code.do(f"fmul {kind} {y}, {half}")
    fma = [(kind, minus), (kind, halved), (kind, half)]
    error = code.do(code.call("llvm.fma.v16f32", kind, fma))
    fma = [(kind, root), (kind, error), (kind, root)]
    better = code.do(code.call("llvm.fma.v16f32", kind, fma))
    return _fixed(code, better, x, FIXED_ROOTS)


def quotient(code: Code, x: str, y: str) -> str:
    """The quotient x / y as x (1 / y), from 14 bits of 1 / y and one step of Newton's method.

    Within two ulps of the exact quotient, or 0 where y is beyond 2^126. Every other division goes
    this way, so that the divider and the multipliers work side by side.
    """
    kind = "<16 x float>"
    one = "splat (float 0x3FF0000000000000)"
    r = code.do(code.call(
        "llvm.x86.avx512.rcp14.ps.512", kind,
        [(kind, y), (kind, "zeroinitializer"), ("i16", "-1")],
    ))  # fmt: skip
    minus = code.do(f"fneg {kind} {y}")
    error = code.do(code.call("llvm.fma.v16f32", kind, [(kind, v) for v in (minus, r, one)]))
    better = code.do(code.call("llvm.fma.v16f32", kind, [(kind, v) for v in (r, error, r)]))
    inverse = code.do(_fixed(code, better, y, FIXED_INVERSES))
    return f"fmul {kind} {x}, {inverse}"


def _fixed(code: Code, result: str, source: str, responses: int) -> str:
    """A result with what it should be for special sources put in their places."""
    kind, table = "<16 x float>", f"splat (i32 {responses})"
    return code.call(
        "llvm.x86.avx512.mask.fixupimm.ps.512", kind,
        [(kind, result), (kind, source), ("<16 x i32>", table), ("i32", "0"), ("i16", "-1"),
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
