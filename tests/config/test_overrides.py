"""Overrides from the command line, from Python and from `[smoke]`, right and wrong."""

import numpy as np
import pytest

from lab.config import ConfigError, load

WHOLE = "give a whole number of at least"


@pytest.mark.parametrize(
    ("word", "path", "value"),
    [
        ("run.steps=7", ("run", "steps"), 7),
        ("run.steps = 7", ("run", "steps"), 7),
        ("run.steps=0x10", ("run", "steps"), 16),
        ("title=plain words", ("title",), "plain words"),
        ('title="a = b"', ("title",), "a = b"),
        ("title=a = b", ("title",), "a = b"),
        ("loss.name=my.py:bowl", ("loss", "name"), "my.py:bowl"),
        ('optimizers."heavy ball".momentum=0.5', ("optimizers", "heavy ball", "momentum"), 0.5),
        ("optimizers.'a=b'.momentum=0.5", ("optimizers", "a=b", "momentum"), 0.5),
        ("optimizers.new.learning_rate=[1, 2]", ("optimizers", "new", "learning_rate"), [1, 2]),
        ("optimizers.c.chain.1.b1=0.5", ("optimizers", "c", "chain", 1, "b1"), 0.5),
        ("starts={points = [[1, 2]]}", ("starts",), {"points": [[1, 2]]}),
        ("run.flag=true", ("run", "flag"), True),
        ("run.flag=True", ("run", "flag"), "True"),
    ],
)
def test_override_words(config, word, path, value):
    text = '[starts]\ngrid = 1\n[optimizers.c]\nchain = [{name = "clip"}, {name = "adam"}]\n'
    node = config(text, word).table
    for part in path:
        node = node[part]
    assert node == value


def test_overrides_leave_their_siblings(config):
    table = config("[run]\nsteps = 1\nseeds = 2\n", "run.steps=7", "run.block=3").table
    assert table["run"] == {"steps": 7, "seeds": 2, "block": 3}


def test_overrides_from_python(tmp_path, small):
    path = tmp_path / "some.toml"
    path.write_text('experiment = "descent"\n[run]\nsteps = 1\n[at]\nschedule = "x"\n')
    given = {"run": {"seeds": 2}, "run.steps": np.int64(7), "at": np.array([1.0, 2.0])}
    document = load(path, {**given, "tables": {"v1.5": {"steps": 3}}})
    found = document.validate(small)
    assert (found.run.steps, found.run.seeds) == (7, 2)
    assert found.at.tolist() == [1.0, 2.0]
    assert found.tables["v1.5"].steps == 3
    assert document.table["run"] == {"steps": 7, "seeds": 2}


SMOKE = '[run]\nsteps = 100\nblock = 9\n[smoke]\n"run.steps" = 20\n[smoke.run]\nseeds = 2\n'


@pytest.mark.parametrize(
    ("words", "smoke", "steps", "seeds"),
    [([], False, 100, 1), ([], True, 20, 2), (["run.steps=7"], True, 7, 2)],
)
def test_smoke(config, words, smoke, steps, seeds, small):
    run = config(SMOKE, *words, smoke=smoke).validate(small).run
    assert (run.steps, run.seeds, run.block) == (steps, seeds, 9)


def test_smoke_replaces_a_schedule_by_a_sweep(config):
    text = '[at]\nschedule = "x"\n[smoke.at]\nlinspace = [0, 1]\ncount = 3\n'
    assert config(text, smoke=True).table["at"] == {"linspace": [0, 1], "count": 3}


def test_differences(config):
    old = config("[run]\nsteps = 500\n[optimizers.sgd]\n[loss]\na = [1, 2]\n").table
    new = config('[run]\nsteps = 200\n[optimizers."heavy ball"]\n[loss]\na = [1, 3]\n')
    assert new.differences(old) == [
        "run.steps: 500 -> 200",
        "optimizers.sgd: removed",
        'optimizers."heavy ball": added',
        "loss.a: [1, 2] -> [1, 3]",
    ]
    assert new.differences(new.table) == []


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("run.steps=-1", f"run.steps: -1 is not allowed; {WHOLE} 0"),
        ("run.steps=many", f"run.steps: 'many' is not allowed; {WHOLE} 0"),
        ("run.stpes=3", "run.stpes: unknown key; did you mean 'steps'?"),
        ("rnu.steps=3", "rnu: unknown table; did you mean 'run'?"),
        ("steps=5", "steps: unknown key; did you mean 'run.steps'?"),
        ("target=[1]", "target: unknown key; did you mean 'run.targets'?"),
        ("shape=[2, 2]", "shape: unknown key; did you mean 'starts.grid.shape'?"),
        ("momntum=1", "momntum: unknown key; did you mean 'optimizers.\"heavy ball\".momentum'?"),
        ("tilte=3", "tilte: unknown key; did you mean 'title'?"),
        (
            "qqq=1",
            "qqq: unknown key; allowed: at, experiment, loss, optimizers, precision, run, "
            "seed, starts, title",
        ),
        ("run.steps", "no '=' in it; an override is key=value, such as run.steps=200"),
        ("=3", "no key before '='; an override is key=value, such as run.steps=200"),
        ("run.steps=", "no value after '='; for an empty text write run.steps='\"\"'"),
        (
            "heavy ball.momentum=1",
            "'heavy ball.momentum' is not a key; "
            'quote labels: optimizers."heavy ball".momentum=0.5',
        ),
        ("run.targets=[1", "'[1' is not a TOML value; see that brackets and quotes close"),
        (
            "run.steps.x=1",
            "run.steps.x: run.steps is 10, which has no keys; set run.steps itself",
        ),
        (
            "optimizers.c.chain.2.b1=0",
            "optimizers.c.chain.2.b1: optimizers.c.chain is a list; '2' is not an index 0",
        ),
    ],
)
def test_bad_overrides(faults, word, message, good):
    text = f'{good}[optimizers.c]\nchain = [{{name = "sgd", learning_rate = 1.0}}]\n'
    text += '[optimizers."heavy ball"]\nname = "sgd"\nlearning_rate = 0.1\nmomentum = 0.9\n'
    assert faults(text, word, shown=True) == [f"command line: {message}", f"    {word}"]


def test_overrides_come_after_the_file(faults, good):
    assert faults(good.replace("10", "-9"), "run.seeds=0", "seed=-1") == [
        f"bad.toml:7: run.steps: -9 is not allowed; {WHOLE} 0",
        f"command line: run.seeds: 0 is not allowed; {WHOLE} 1",
        f"command line: seed: -1 is not allowed; {WHOLE} 0",
    ]


def test_bad_overrides_from_python(faults, tmp_path, good, full):
    faults(good)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "bad.toml", {"run.steps": -1}).validate(full)
    message = f"override: run.steps: -1 is not allowed; {WHOLE} 0\n    run.steps: -1"
    assert str(caught.value) == message
    with pytest.raises(ConfigError, match="is not a value that a config can hold"):
        load(tmp_path / "bad.toml", {"title": object})
    with pytest.raises(ConfigError, match=r"'run\.' is not a key; write it as in \"run\.steps\""):
        load(tmp_path / "bad.toml", {"run.": 3})


@pytest.mark.parametrize("smoke", [False, True])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"run.stpes" = 3', "run.stpes: unknown key; did you mean 'steps'?"),
        ('"run.steps" = -1', f"run.steps: -1 is not allowed; {WHOLE} 0"),
        ("run.steps = -1", f"run.steps: -1 is not allowed; {WHOLE} 0"),
        ("run = { steps = -1 }", f"run.steps: -1 is not allowed; {WHOLE} 0"),
        ('"rnu.steps" = 3', "rnu: unknown table; did you mean 'run'?"),
        ("tilte = 3", "tilte: unknown key; did you mean 'title'?"),
        ('"run.steps.x" = 3', "run.steps.x: run.steps is 10, which has no keys; "
         "set run.steps itself"),
        ('"run." = 3', '"run.": \'run.\' is not a key; write it as in "run.steps"'),
        ('experiment = "decsent"', "experiment: unknown experiment 'decsent'; "
         "did you mean 'descent'?"),
    ],
)  # fmt: skip
def test_bad_smoke(faults, text, message, smoke, good):
    assert faults(f"{good}[smoke]\n{text}\n", smoke=smoke, shown=True) == [
        f"bad.toml:11: smoke.{message}",
        f"    {text}",
    ]


def test_smoke_table_by_table(faults, good):
    text = f"{good}[smoke.run]\nsteps = 5\nseeds = 0\n[smoke.optimizers.sgd]\nmomentun = 0.5\n"
    assert faults(text) == [
        f"bad.toml:12: smoke.run.seeds: 0 is not allowed; {WHOLE} 1",
        "bad.toml:14: smoke.optimizers.sgd.momentun: unknown key; did you mean 'momentum'?",
    ]


def test_smoke_that_is_no_table(faults, good):
    assert faults("smoke = 1\n" + good) == [
        "bad.toml:1: smoke: 1 is not allowed; give a table of overrides"
    ]


def test_a_fault_that_only_smoke_brings_about(faults, good):
    text = f"{good}[smoke]\n'loss.name' = 'rastrigin'\n'loss.dimension' = 3\n"
    assert faults(text) == [
        "bad.toml:5: starts.grid: 2 coordinates, but loss 'rastrigin' has dimension 3; "
        "give 3 coordinates, or dimension = 2 under [loss] (with the overrides of [smoke])"
    ]
