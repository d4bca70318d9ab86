"""Lists, linspace and geomspace: what they become, and what is wrong with them."""

import numpy as np
import pytest

from lab.config.sweeps import Expansion, spaced


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2.5], [1.0, 2.5]),
        ([[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]]),
        ([True, False], [True, False]),
        ({"linspace": [0, 1], "count": 5}, np.linspace(0, 1, 5)),
        ({"linspace": [1, 0], "count": 1}, [1.0]),
        ({"geomspace": [1e-5, 1], "count": 200}, np.geomspace(1e-5, 1, 200)),
        ({"geomspace": [-1, -100], "count": 3.0}, [-1.0, -10.0, -100.0]),
    ],
    ids=str,
)
def test_sweeps(value, expected):
    expansion = Expansion()
    found = expansion.table({"a": {"b": value}})["a"]["b"]
    assert not expansion.faults
    assert found.dtype == (bool if isinstance(expected[0], bool) else np.float64)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("value", [3, 0.5, True, "text", ["a", "b"]], ids=str)
def test_what_is_no_sweep_stays(value):
    expansion = Expansion()
    assert expansion.value(value) == value
    assert not expansion.faults


@pytest.mark.parametrize("kind", ["linspace", "geomspace"])
def test_end_points_are_exactly_themselves(kind):
    for ends in [(1e-5, 1.0), (0.1, 0.3), (1e-300, 7e200), (3.0, 3.0)]:
        values = spaced(kind, *ends, 7)
        assert (values[0], values[-1]) == ends


def test_a_sweep_field_is_always_an_array(config, small):
    assert config("at = 3").validate(small).at.tolist() == [3.0]
    assert config("at = [1, 2]").validate(small).at.tolist() == [1.0, 2.0]
    assert config("at = {linspace = [0, 1], count = 2}").validate(small).at.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[]", "at: the list is empty; a sweep needs at least one value"),
        ('[1, "a"]', "at: a sweep is a list of numbers, but element 2 is 'a'"),
        ("[1, true]", "at: a sweep is a list of numbers, but element 2 is true"),
        ("[1, nan]", "at: nan (element 2) is not allowed; give finite numbers"),
        ("[[1, 2], [3]]", "at: the lists within the list differ in length"),
        ("inf", "at: inf is not allowed; give a finite number"),
        ("1e400", "at: inf is not allowed; give a finite number"),
        ("{linspace = [0, 1]}", "at: a sweep needs count, the number of values"),
        (
            "{linspace = [0, 1], count = 0}",
            "at.count: 0 is not allowed; give a whole number from 1 to 10000000",
        ),
        (
            "{linspace = [0, 1], count = 2.5}",
            "at.count: 2.5 is not allowed; give a whole number from 1 to 10000000",
        ),
        (
            "{geomspace = [1, 2], count = 10_000_000_000}",
            "at.count: 10000000000 is not allowed; give a whole number from 1 to 10000000",
        ),
        (
            "{geomspace = [0, 1], count = 3}",
            "at.geomspace: a geomspace cannot begin or end at 0; try linspace",
        ),
        (
            "{geomspace = [-1, 1], count = 3}",
            "at.geomspace: a geomspace cannot cross 0: give both ends the same sign",
        ),
        (
            "{linspace = [0], count = 3}",
            "at.linspace: [0] is not allowed; give two numbers, [first, last]",
        ),
        (
            "{linspace = [0, nan], count = 3}",
            "at.linspace: [0, nan] is not allowed; give finite numbers",
        ),
        (
            "{geomspce = [1, 2], count = 3}",
            "at.geomspce: unknown key in a sweep; did you mean 'geomspace'?",
        ),
        (
            "{linspace = [1, 2], cuont = 3, count = 3}",
            "at.cuont: unknown key in a sweep; did you mean 'count'?",
        ),
        (
            "{linspace = [1, 2], geomspace = [1, 2], count = 3}",
            "at: a sweep is either a linspace or a geomspace, not both",
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["at", "optimizers.sgd.learning_rate", "loss.b"])
def test_bad_sweeps(faults, value, message, where, good):
    line = f"{where} = {value}\n"
    section, _, key = where.rpartition(".")
    text = good.replace("learning_rate = 1e-3", "") if "sgd" in where else good
    text = text.replace(f"[{section}]\n", f"[{section}]\n{key} = {value}\n") if section else text
    text = text if section else text.replace("[loss]", f"{line}[loss]")
    at = text.split("\n").index(f"{key} = {value}") + 1
    expected = message.replace("at", where, 1) if message.startswith("at") else message
    assert faults(text) == [f"bad.toml:{at}: {expected}"]


def test_a_sweep_field_takes_one_axis(faults, good):
    for value, shown in [("[[1, 2]]", "[[1, 2]]"), ("[true]", "[true]"), ('"a"', "'a'")]:
        assert faults(good.replace("[loss]", f"at = {value}\n[loss]")) == [
            f"bad.toml:2: at: {shown} is not allowed; give a number, a list of numbers, "
            "or {linspace = [a, b], count = n}"
        ]
