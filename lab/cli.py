"""The command `lab`. Whatever needs JAX is imported by the command that needs it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from lab import __version__
from lab.errors import LabError

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    help="Gradient descent lab: any JAX loss, any optax optimizer, millions of runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Configs = Annotated[
    list[str],
    typer.Argument(
        metavar="CONFIG... [KEY=VALUE...]",
        help="TOML files or built-in names (see `lab list configs`), and overrides.",
    ),
]
Out = Annotated[Path | None, typer.Option(help="The run directory; default runs/<config stem>.")]
Smoke = Annotated[bool, typer.Option("--smoke", help="A run of seconds: apply [smoke].")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Delete what an earlier run left there.")]


@app.command()
def run(configs: Configs, out: Out = None, smoke: Smoke = False, fresh: Fresh = False) -> None:
    """Run configs; go on with interrupted runs; show finished ones."""
    from lab.progress import Reporter
    from lab.running import run as run_one

    paths, overrides = split(configs)
    if out is not None and len(paths) > 1:
        raise LabError(f"--out names one directory, but {len(paths)} configs are given")
    passed = True
    for path in paths:
        result = run_one(path, overrides, out=out, smoke=smoke, fresh=fresh, reporter=Reporter())
        show_result(result)
        passed &= result.passed
    if not passed:
        raise typer.Exit(FAILED)


@app.command()
def check(configs: Configs, smoke: Smoke = False) -> None:
    """Validate configs, and say what they would run, without running."""
    from lab.forecast import forecast
    from lab.terminal import rendered_to_stdout

    paths, overrides = split(configs)
    for path in paths:
        rendered_to_stdout(forecast(path, overrides, smoke))


@app.command()
def show(run: Annotated[Path, typer.Argument(help="A run directory.")]) -> None:
    """Show a finished run again."""
    from lab.running import open_run

    show_result(open_run(run))


@app.command()
def compare(runs: Annotated[list[Path], typer.Argument(help="Run directories.")]) -> None:
    """Put the summaries of several runs side by side."""
    from lab.running import open_run
    from lab.terminal import print_view, table_view

    tables = [open_run(run).table for run in runs]
    print_view(table_view(tables[0].beside(tables[1:], [str(run) for run in runs])))


@app.command()
def schema() -> None:
    """Print the JSON Schema of configs, for editors."""
    import json

    from lab.config import schema as config_schema

    typer.echo(json.dumps(config_schema(), indent=2))


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Configs and overrides, told apart: an override has `=` and is no file."""
    overrides = [word for word in words if "=" in word and not Path(word).exists()]
    configs = [word for word in words if word not in overrides]
    if not configs:
        raise LabError("no config is given; `lab list configs` names the built-in ones")
    return configs, overrides


def show_result(result: object) -> None:
    """Print a finished run."""
    from lab.terminal import print_view, result_view

    print_view(result_view(result))


def main() -> None:
    """Run the command; what is wrong with the input is said in one message, with exit code 2."""
    try:
        app()
    except LabError as error:
        typer.echo(f"lab: {error}", err=True)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        typer.echo("\nlab: interrupted; the same command goes on where it stopped", err=True)
        sys.exit(INTERRUPTED)
