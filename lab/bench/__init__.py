"""Measuring: interleaved timings, memory of a child process, the arithmetic peak.

What lives here knows clocks and processes, and nothing of configs, results or figures.
"""
