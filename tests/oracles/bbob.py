"""Values of COCO's `bbob` suite: freezes a share of them into `bbob.json`, or gives them all.

Beside COCO's stand those of ioh, another code of the same suite. Run with a Python that has both
(coco-experiment is one of the dev requirements, ioh is not):

    python tests/oracles/bbob.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

SHARE = ((2, 1), (3, 2), (10, 7), (40, 15))  # dimension, instance
FROZEN_POINTS = 4
WIDTHS = {16: 1e-9, 19: 1e-8}
"""Steps of central differences where not 1e-6: waves of 3^11 a unit, and a cosine of thousands."""


def points(count, dimension):
    """Points that fill [-6, 6]^dimension: multiples of the golden ratio, without chance."""
    places = np.arange(1, count * dimension + 1) * 0.6180339887498949 % 1
    return (12 * places - 6).reshape(count, dimension)


def values(function, dimension, instance, count):
    """COCO's own values at the points."""
    import cocoex

    problem = cocoex.BareProblem("bbob", function, dimension, instance)
    return [float(problem(x)) for x in points(count, dimension)]


def slopes(function, dimension, instance, count):
    """Central differences of COCO's values at the points."""
    import cocoex

    problem = cocoex.BareProblem("bbob", function, dimension, instance)
    h = WIDTHS.get(function, 1e-6) * np.eye(dimension)
    return [
        [(problem(x + axis) - problem(x - axis)) / (2 * axis.max()) for axis in h]
        for x in 0.9 * points(count, dimension)
    ]


def values_of_ioh(function, dimension, instance, count):
    """The same values by ioh."""
    import ioh

    problem = ioh.get_problem(function, instance, dimension, ioh.ProblemClass.BBOB)
    return [problem(x.tolist()) for x in points(count, dimension)]


def main():
    import cocoex

    def row(*which):
        given = dict(zip(("function", "dimension", "instance"), which, strict=True))
        count = FROZEN_POINTS
        found = {"values": values(*which, count), "ioh": values_of_ioh(*which, count)}
        bent = {"slopes": slopes(*which, count)} if which[1] == 3 else {}
        return {**given, **found, **bent}

    rows = [row(f, d, i) for f in range(1, 25) for d, i in SHARE]
    text = ",\n".join(map(json.dumps, rows))
    source = f"coco-experiment {cocoex.__version__}, ioh {version('ioh')}"
    path = Path(__file__).with_suffix(".json")
    path.write_text(f'{{"source": "{source}", "rows": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
