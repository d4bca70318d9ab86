"""Losses and starts that are wrong, in their tables, between them and among other faults."""

from pathlib import Path

import pytest


@pytest.fixture
def with_loss(faults, good):
    def found(lines):
        return faults(good.replace('name = "rosenbrock"', lines))

    return found


@pytest.fixture
def with_starts(faults, good):
    def found(line):
        grid = "grid = { low = [-2, -1], high = [2, 3], shape = [4, 4] }"
        return faults(good.replace(grid, line))

    return found


# Losses ------------------------------------------------------------------------------------------

FILES = {
    "my.py": """\
number = 3


def valley(x, a=1.0):
    return a * (x**2).sum()


def vector(x):
    return x


def needs(x, a):
    return a * x.sum()


def wide(x, width):
    return width * x.sum()
""",
    "boom.py": 'import math\n\nraise RuntimeError("no valley today")\n',
    "broken.py": "def f(x)\n    return x\n",
}


@pytest.fixture
def own_files(with_loss):
    """`with_loss`, with the user's own files beside the config."""
    for name, text in FILES.items():
        Path(name).write_text(text)
    return with_loss


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('name = "rosenbrok"', "3: loss.name: unknown loss 'rosenbrok'; "
         "did you mean 'rosenbrock'?"),
        ("name = 3", "3: loss.name: 3 is not allowed; give text in quotes"),
        ('nmae = "rosenbrock"', "3: loss.nmae: unknown key; did you mean 'name'?"),
        ("", "2: loss.name: missing: give the loss's 'name', or a 'formula'"),
        ('name = "rosenbrock"\nbb = 3', "4: loss.bb: rosenbrock has no parameter 'bb'; "
         "did you mean 'b'?"),
        ('name = "rosenbrock"\nb = "3"', "4: loss.b: must be a number or an array of numbers, "
         "not '3'"),
        ('name = "rosenbrock"\nb = nan', "4: loss.b: nan is not allowed; give a finite number"),
        ('name = "rosenbrock"\nformula = "x"', "4: loss.formula: give either 'name' or 'formula', "
         "not both"),
        ('name = "rastrigin"\ndimension = 0', "4: loss.dimension: must be a whole number from 1 "
         "to 10000000, not 0"),
    ],
    ids=str,
)  # fmt: skip
def test_loss(with_loss, lines, message):
    assert with_loss(lines) == [f"bad.toml:{message}"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('name = "mine.py:valley"', "3: loss.name: there is no file 'mine.py' in .; "
         "did you mean 'my.py'?"),
        ('name = "my.py:valey"', "3: loss.name: my.py has no 'valey'; did you mean 'valley'?"),
        ('name = "my.py"', "3: loss.name: names no function; write 'my.py:NAME'; "
         "allowed: needs, valley, vector, wide"),
        ('name = "my.py:number"', "3: loss.name: a loss is a function of one point, not 3"),
        ('name = "boom.py:f"', "3: loss.name: boom.py:3: fails on import with RuntimeError: "
         "no valley today"),
        ('name = "broken.py:f"', "3: loss.name: broken.py:1: cannot be read as Python: "
         "expected ':'"),
        ('name = "my.py:vector"', "3: loss.name: vector returns float32 of shape (2,); "
         "a loss returns one real number (shape ())"),
        ('name = "my.py:vector"\ndimension = 2', "3: loss.name: vector returns float32 of shape "
         "(2,); a loss returns one real number (shape ())"),
        ('name = "my.py:needs"', "2: loss.a: needs needs a value for 'a'"),
        ('name = "my.py:wide"\nwidht = 3', "4: loss.widht: wide has no parameter 'widht'; "
         "did you mean 'width'?"),
        ('name = "my.py:valley"\nc = 3', "4: loss.c: valley has no parameter 'c'; allowed: a"),
    ],
    ids=str,
)  # fmt: skip
def test_own_loss(own_files, lines, message):
    assert own_files(lines) == [f"bad.toml:{message}"]


# Starts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("gird = 1", "5: starts.gird: unknown key; did you mean 'grid'?"),
        ("uniform = { low = [0, 0], high = [1, 1], cout = 4 }",
         "5: starts.uniform.cout: unknown key; did you mean 'count'?"),
        ("grid = 3", "5: starts.grid: must be a table of low, high, shape, not 3"),
        ("grid = { low = [0, 0], hihg = [0, 0], high = [1, 1], shape = [2, 2] }",
         "5: starts.grid.hihg: unknown key; did you mean 'high'?"),
        ("[starts.grid]\nlow = [0, 0]\nhigh = [1, inf]\nshape = [2, 2]",
         "7: starts.grid.high: must be finite"),
        ("points = [[1, nan]]", "5: starts.points: must be finite"),
        ("uniform = { low = [0, 0], high = [1, 1], count = 0 }",
         "5: starts.uniform.count: must be a whole number from 1 to 2147483647, not 0"),
        ("points = [[1, 2]]\nuniform = { low = [0, 0], high = [1, 1], count = 1 }",
         "4: starts: give exactly one of grid, uniform, normal, points; found uniform and points"),
        ("", "4: starts: give exactly one of grid, uniform, normal, points; found none"),
    ],
    ids=str,
)  # fmt: skip
def test_starts(with_starts, lines, message):
    assert with_starts(lines) == [f"bad.toml:{message}"]


@pytest.mark.parametrize(
    ("loss", "advice"),
    [
        ('name = "rosenbrock"', "'rosenbrock' has dimension 2; "
         "give 2 coordinates, or dimension = 3 under [loss]"),
        ('name = "beale"', "'beale' has dimension 2; give 2 coordinates"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("starts", ["points = [[1, 2, 3]]", "normal = { mean = [0, 0, 0], "
                                    "std = 1.0, count = 3 }"])  # fmt: skip
def test_starts_of_another_dimension_than_the_loss(faults, good, loss, advice, starts):
    grid = "grid = { low = [-2, -1], high = [2, 3], shape = [4, 4] }"
    text = good.replace('name = "rosenbrock"', loss).replace(grid, starts)
    kind = starts.split(" ")[0]
    assert faults(text) == [f"bad.toml:5: starts.{kind}: 3 coordinates, but loss {advice}"]


def test_starts_of_another_dimension_are_told_among_other_faults(faults, good):
    found = faults(good.replace("[2, 3], shape = [4, 4]", "[2, 3, 4], shape = [4, 4, 4]")
                   .replace("low = [-2, -1]", "low = [-2, -1, 0]").replace("10", "-1"))  # fmt: skip
    assert [message.split(": ")[1] for message in found] == ["starts.grid", "run.steps"]


# Several at once ---------------------------------------------------------------------------------

MANY = """\
experiment = "descent"
sed = 3
[loss]
name = "rosenbrock"
bb = 1
b = { geomspace = [0, 1], count = 3 }
[starts]
gird = { low = [-2, -1], high = [2, 3], shape = [4, 4] }
[optimizers.sgd]
learning_rat = 1
[run]
keep = "lane"
steps = -1
[optimizers.adam]
learning_rate = [1, "a"]
[smoke]
"run.sed" = 2
[optimizers."heavy ball"]
name = "sgd"
learning_rate = 1
momentun = 0.5
"""


def test_a_misspelt_key_is_not_missing_too(faults, good):
    """Each is one fault: of a model's own key, of a table, and of a sweep."""
    assert faults(good.replace("experiment", "expriment")) == [
        "bad.toml:1: expriment: unknown key; did you mean 'experiment'?"
    ]
    assert faults(good.replace("[starts]", "[strats]")) == [
        "bad.toml:4: strats: unknown table; did you mean 'starts'?"
    ]
    sweep = "{ geomspace = [1e-3, 1.0], cuont = 3 }"
    assert faults(good.replace("1e-3", sweep)) == [
        "bad.toml:9: optimizers.sgd.learning_rate.cuont: unknown key in a sweep; "
        "did you mean 'count'?"
    ]


def test_several_faults_in_the_order_of_their_lines(faults):
    found = faults(MANY, "run.seeds=0")
    places = [message.split(": ")[:2] for message in found]
    assert places == [
        ["bad.toml:2", "sed"],
        ["bad.toml:5", "loss.bb"],
        ["bad.toml:6", "loss.b.geomspace"],
        ["bad.toml:8", "starts.gird"],
        ["bad.toml:10", "optimizers.sgd.learning_rat"],
        ["bad.toml:12", "run.keep"],
        ["bad.toml:13", "run.steps"],
        ["bad.toml:15", "optimizers.adam.learning_rate"],
        ["bad.toml:17", "smoke.run.sed"],
        ["bad.toml:21", 'optimizers."heavy ball".momentun'],
        ["command line", "run.seeds"],
    ]
