"""The calculus of the course: pure JAX functions of one point, batched from outside.

Each room holds one topic and stands on its own, in a notebook as in an experiment. A function to
be studied is a `Function` (made from text by `function`) or any JAX function of scalars.
"""

from lab.calculus.functions import Function, function

__all__ = ["Function", "function"]
