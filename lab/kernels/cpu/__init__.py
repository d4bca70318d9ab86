"""The kernel for CPUs: a loop of scalars as LLVM code, one vector register for 4 to 16 lanes.

`instructions` says what each JAX primitive is in LLVM's language, `stepping` writes the steps of a
few lanes, `edges` their starts and results, `writing` the function around both; `building` compiles
it and makes it callable from JAX. `run`, `once` and `through` do all of that.
"""

from lab.kernels.cpu.running import missing, once, run, through

__all__ = ["missing", "once", "run", "through"]
