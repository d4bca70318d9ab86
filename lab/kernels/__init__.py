"""Kernels: a whole run of gradient descent as one loop of machine code."""
