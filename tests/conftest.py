"""Two CPU devices in every test process, so that what spreads over devices is tested on one machine."""

import os

os.environ["JAX_NUM_CPU_DEVICES"] = "2"  # read once, when jax first asks for its devices
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"
