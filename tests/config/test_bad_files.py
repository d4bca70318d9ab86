"""Files that hold no TOML: each is told what is wrong, and where."""

from pathlib import Path

import pytest

from lab.config import ConfigError, load


def refusal(path):
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def test_missing_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal("quick.toml") == "quick.toml: no such file"
    Path("quickstart.toml").touch()
    assert refusal("quickstrat.toml") == (
        "quickstrat.toml: no such file; did you mean 'quickstart.toml'?"
    )
    assert refusal("quickstart") == "quickstart: no such file; did you mean 'quickstart.toml'?"
    assert refusal("zzz.toml") == "zzz.toml: no such file; in that folder are quickstart.toml"
    assert refusal("no/a.toml") == "no/a.toml: no such file; there is no folder 'no'"


def test_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("some").mkdir()
    assert refusal("some") == "some: this is a folder, not a file"
    Path("some/a.toml").touch()
    assert refusal("some") == "some: this is a folder, not a file; it holds a.toml"


def test_unreadable(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert (
        refusal(tmp_path / "a.toml") == f"{tmp_path / 'a.toml'}: cannot be read: permission denied"
    )


EMPTY = 'bad.toml: the file is empty; a config begins with experiment = "descent"'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", EMPTY),
        (b"# only a comment\n\n", EMPTY),
        (
            b"\x89PNG\x00\x01",
            "bad.toml: this is not a text file; a config is TOML, saved as UTF-8",
        ),
        (b"\xff\xfea\x00", "bad.toml: the file is saved as UTF-16; save it as UTF-8"),
        (
            b'a = 1\nb = "caf\xe9"\n',
            "bad.toml:2: byte 0xe9 is not UTF-8; save the file as UTF-8",
        ),
        (b"a = " + b"[" * 5000, "bad.toml: the values are nested too deeply"),
        (b"a = " + b"9" * 5000, "bad.toml: this number has too many digits"),
    ],
    ids=["empty", "comment", "binary", "utf-16", "latin-1", "deep", "digits"],
)
def test_no_text_to_read(faults, data, message):
    assert faults(data) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = two\n", "2: column 5: this is not a TOML value; text needs quotes"),
        ("a = 1\na = 2\nb = 3\n", "2: column 6: this key is given twice"),
        ("a = {b = 1, b = 2}\n", "1: column 18: this key is given twice"),
        (
            "[a]\n\n[a]\nb = 3",
            "3: column 3: this table is opened twice; put its keys together",
        ),
        ("a = 1\nb\n", "2: column 2: a key needs '=' and a value after it: key = value"),
        ("a = 1 b = 2\n", "1: column 7: something is left over after the value"),
        (
            "[a\nb = 1\n",
            "1: column 3: a table's name is closed with ']', or ']]' if opened by '[['",
        ),
        ("a = [1 2]\n", "1: column 8: a '[' is not closed; elements are separated by commas"),
        ("a = [1,\n\n", "1: column 8: the file ends where a value should stand"),
        ('a = "x\n', "1: column 7: a quote is not closed"),
        ("a = '''x\n", "1: column 9: a quote is not closed"),
        (
            'a = "C:\\q"\n',
            "1: column 10: a backslash in \"...\" needs another one before it; or use '...'",
        ),
        (
            "a = { b = 1,\n  c = 2 }\n",
            "1: column 13: a '{' and its '}' stand on one line, with no comma before the '}'",
        ),
        (
            "a = { b = 1, }\n",
            "1: column 14: a '{' and its '}' stand on one line, with no comma before the '}'",
        ),
        ("= 3\n", "1: column 1: this is not a key; keys are key = value"),
    ],
    ids=str,
)
def test_broken_toml(faults, text, message):
    assert faults(text) == [f"bad.toml:{message}"]


def test_the_line_is_shown(faults):
    assert faults("a = 1\n  b = two # 2\n", shown=True) == [
        "bad.toml:2: column 7: this is not a TOML value; text needs quotes",
        "    b = two # 2",
    ]
    long = faults(f"a = 1\nb = two # {'x' * 500}\n", shown=True)[1]
    assert len(long) == 124
    assert long.endswith("x...")
