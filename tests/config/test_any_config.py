"""Whatever a config holds, reading it gives a model or a ConfigError, and nothing else."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.config import ConfigError, load

VALUES = [
    *("0", "-1", "1e400", "nan", "-inf", "9" * 30, "0.5", "1_000_000_000_000"),
    *("true", '""', '"sgd"', '"my.py:f"', '"é\\n"', "2020-01-01", "12:00:00"),
    *("[]", "[1]", "[1, 2, 3]", "[[1, 2], [3, 4]]", "[[1], [2, 3]]", "[[]]", '["a", 1]', "[true]"),
    *("[{}]", "{}", '{name = "adam"}', '{chain = [{name = "adam"}]}', "{a = {b = [nan]}}"),
    *("{linspace = [0, 1], count = 3}", "{geomspace = [0, -1], count = nan}", "{count = 3}"),
    *('{schedule = "constant_schedule", value = [1, 2]}', "{schedule = 3}", '{schedule = ""}'),
    *("{low = [1], high = [0], shape = [2]}", "{low = 0, high = 1, count = -1}", "{mean = [nan]}"),
]
KEYS = [
    *("name", "formula", "dimension", "a", "b", "grid", "uniform", "normal", "points", "low"),
    *("shape", "count", "std", "steps", "keep", "targets", "learning_rate", "momentum", "chain"),
    *(
        "schedule",
        '""',
        '"a.b"',
        "é".encode().hex(),
        "experiment",
        "precision",
        "smoke",
        "0",
        "self",
    ),
]
WORDS = [
    *("", "=", "run.steps=", "run=1", "loss={}", "starts={}", "optimizers={}", "smoke=1"),
    *("starts.points=[[1, 2, 3]]", "starts.grid.shape.0=x", "optimizers.sgd=3", "x.y.z=[", "a\n=1"),
    *(
        "optimizers.sgd.chain.0.name=adam",
        "optimizers.sgd={chain=[{name='adam', learning_rate=1}]}",
    ),
]
TOKENS = st.sampled_from([*VALUES, "[", "]", "{", "}", '"', "=", "#", "\x01", ".", "\n"])


@st.composite
def mutations(draw, text):
    """The text with a few of its lines changed, doubled, moved, cut or broken."""
    lines = text.split("\n")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        key, _, value = lines[at].partition("=")
        changed = draw(
            st.sampled_from(
                [
                    f"{key}= {draw(st.sampled_from(VALUES))}",
                    f"{key}= {draw(st.sampled_from(VALUES))}",
                    f"{draw(st.sampled_from(KEYS))} ={value or '1'}",
                    f"{draw(st.sampled_from(KEYS))} = {draw(st.sampled_from(VALUES))}\n{lines[at]}",
                    lines[draw(st.integers(0, len(lines) - 1))],
                    lines[at][: draw(st.integers(0, len(lines[at])))] + draw(TOKENS),
                    "",
                ]
            )
        )
        lines[at] = changed
    return "\n".join(lines)


@pytest.mark.parametrize("smoke", [False, True])
def test_any_config(good, full, smoke):
    text = f'{good}[smoke]\n"run.steps" = 3\n[smoke.starts]\ngrid = {{ shape = [2, 2] }}\n'

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(mutations(text), st.lists(st.sampled_from(WORDS), max_size=1))
    def check(text, words):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "any.toml"
            path.write_text(text, encoding="utf-8")
            try:
                model = load(path, words, smoke, ["descent"]).validate(full)
            except ConfigError as error:
                said = str(error)
                assert said.split("\n")[0].startswith((str(path), "command line"))
                assert "pydantic" not in said
                assert "Input should be" not in said
                assert "Traceback" not in said
            else:
                assert isinstance(model, full)

    check()


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(data=st.binary(max_size=60))
def test_any_bytes(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.toml"
        path.write_bytes(data)
        with pytest.raises(ConfigError):
            load(path)
