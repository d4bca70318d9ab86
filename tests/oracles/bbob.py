"""Values of COCO's `bbob` suite: freezes a share of them into `bbob.json`, or gives them all.

Run with a Python that has coco-experiment, one of the dev requirements:

    python tests/oracles/bbob.py
"""

import json
from pathlib import Path

import numpy as np

SHARE = ((2, 1), (3, 2), (10, 7), (40, 15))  # dimension, instance
FROZEN_POINTS = 4


def points(count, dimension):
    """Points that fill [-6, 6]^dimension: multiples of the golden ratio, without chance."""
    places = np.arange(1, count * dimension + 1) * 0.6180339887498949 % 1
    return (12 * places - 6).reshape(count, dimension)


def values(function, dimension, instance, count):
    """COCO's own values at the points."""
    import cocoex

    problem = cocoex.BareProblem("bbob", function, dimension, instance)
    return [float(problem(x)) for x in points(count, dimension)]


def main():
    import cocoex

    rows = [
        {"function": f, "dimension": d, "instance": i, "values": values(f, d, i, FROZEN_POINTS)}
        for f in range(1, 25)
        for d, i in SHARE
    ]
    text = ",\n".join(map(json.dumps, rows))
    source = f"coco-experiment {cocoex.__version__}"
    path = Path(__file__).with_suffix(".json")
    path.write_text(f'{{"source": "{source}", "rows": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
