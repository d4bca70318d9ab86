"""Optimizers that are wrong: their keys, their values, their labels."""

import pytest


@pytest.fixture
def with_optimizer(faults, good):
    def found(lines, label="sgd"):
        text = good.replace("learning_rate = 1e-3\n", f"{lines}\n")
        return faults(text.replace("optimizers.sgd", f"optimizers.{label}"))

    return found


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("learning_rat = 1", "learning_rat: unknown key; did you mean 'learning_rate'?"),
        ("learning_rate = inf", "learning_rate: inf is not allowed; give a finite number"),
        ('name = "admm"', "name: optax has no optimizer called 'admm'; did you mean 'adam'?"),
        (
            'learning_rate = { schedule = "cosine_decay_schedul", init_value = 1 }',
            "learning_rate.schedule: optax has no schedule called 'cosine_decay_schedul'; "
            "did you mean 'cosine_decay_schedule'?",
        ),
        (
            'learning_rate = { schedule = "constant_schedule", vale = 1 }',
            "learning_rate.vale: unknown key; did you mean 'value'?",
        ),
        ('learning_rate = { schedule = ["a"] }', "learning_rate.schedule: ['a'] is not allowed; "
         "give text in quotes"),
        (
            'chain = [{ name = "clip_by_global_norm", max_nrm = 1.0 }]',
            "chain.0.max_nrm: unknown key; did you mean 'max_norm'?",
        ),
        (
            'chain = [{ name = "sgd", learning_rate = [1, nan] }]',
            "chain.0.learning_rate: nan (element 2) is not allowed; give finite numbers",
        ),
        ("chain = []", "chain: expected a list of tables, got []"),
    ],
    ids=str,
)  # fmt: skip
def test_optimizer(with_optimizer, lines, message):
    assert with_optimizer(lines) == [f"bad.toml:9: optimizers.sgd.{message}"]


def test_the_line_of_a_link_of_a_chain(with_optimizer):
    chain = 'chain = [\n  { name = "clip_by_global_norm", max_norm = 1.0 },\n  { name = "adm" },\n]'
    assert with_optimizer(chain) == [
        "bad.toml:11: optimizers.sgd.chain.1.name: optax has no optimizer called 'adm'; "
        "did you mean 'adam'?"
    ]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ('""', "an optimizer's label cannot be empty"),
        ('"a/b"', "an optimizer's label cannot contain '/' or '\\': it names a folder of results"),
        ("_a", "an optimizer's label cannot begin with '_' or be only dots: it names a folder"),
        ('".."', "an optimizer's label cannot begin with '_' or be only dots: it names a folder"),
        ('"a\\tb"', "an optimizer's label cannot hold control characters"),
    ],
)
def test_labels(with_optimizer, label, message):
    where = label.replace("\\t", "\t")
    found = with_optimizer('name = "sgd"\nlearning_rate = 1', label)
    assert found == [f"bad.toml:8: optimizers.{where}: {message}"]


def test_no_optimizer(faults, good):
    text = good.split("[optimizers")[0]
    assert faults(f"{text}[optimizers]\n") == [
        "bad.toml:8: optimizers: no optimizer is given; add one, such as [optimizers.adam]"
    ]
    assert faults(f"{text}[optimizers]\nsgd = 3\n") == [
        "bad.toml:9: optimizers.sgd: 3 is not allowed; give a table: [optimizers.LABEL]"
    ]
