"""The command `lab`. Whatever needs JAX is imported by the command that needs it."""

import functools
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lab.errors import LabError, nearest

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


CATALOGUES = ("losses", "optimizers", "experiments", "configs")


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A command of `app`: what is wrong with the input is said in one message, exit code 2."""

    @functools.wraps(function)
    def friendly(*arguments: Any, **options: Any) -> None:
        try:
            function(*arguments, **options)
        except LabError as error:
            typer.echo(f"lab: {error}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt:
            resumable = function.__name__ in ("run", "course")
            ending = "; the same command goes on where it stopped" if resumable else ""
            typer.echo(f"lab: interrupted{ending}", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # as in `lab list losses | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(FAILED) from None

    return app.command(function.__name__.rstrip("_"))(friendly)


@command
def run(
    configs: Configs,
    out: Out = None,
    smoke: Smoke = False,
    fresh: Fresh = False,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers run the sweeps."),
    ] = None,
) -> None:
    """Run configs; go on with interrupted runs; show finished ones."""
    from lab.progress import Reporter
    from lab.running import run as run_one
    from lab.terminal import print_view, result_view

    paths, overrides = split(configs)
    if out is not None and len(paths) > 1:
        raise LabError(f"--out names one directory, but {len(paths)} configs are given")
    passed = True
    for path in paths:
        result = run_one(
            path,
            overrides,
            out=out,
            smoke=smoke,
            fresh=fresh,
            reporter=Reporter(),
            cluster=cluster,
        )
        print_view(result_view(result))
        passed &= result.passed
    if not passed:
        raise typer.Exit(FAILED)


@command
def course(
    topic: Annotated[
        str | None,
        typer.Argument(help="One topic, as in 03_derivatives, 3 or tensors; default all."),
    ] = None,
    smoke: Smoke = False,
    out: Annotated[
        Path | None, typer.Option(help="Runs and site; default runs/course[-smoke].")
    ] = None,
    fresh: Fresh = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Configs at a time; default one a core.")
    ] = None,
) -> None:
    """Run the course's configs, and build its site; finished ones are kept."""
    from lab.course.running import course as run_course
    from lab.progress import Reporter
    from lab.terminal import print_view, table_view

    done = run_course(topic, smoke=smoke, out=out, fresh=fresh, jobs=jobs, reporter=Reporter())
    print_view(table_view(done.table))
    for key, error in done.errors.items():
        typer.echo(f"{key}: {error}", err=True)
    typer.echo(f"open:  {done.site}")
    if not done.passed:
        raise typer.Exit(BAD_INPUT if done.bad_input else FAILED)


@command
def check(configs: Configs, smoke: Smoke = False) -> None:
    """Validate configs, and say what they would run, without running."""
    from lab.forecast import forecast
    from lab.terminal import print_view

    paths, overrides = split(configs)
    for path in paths:
        print_view(forecast(path, overrides, smoke))


@command
def show(run: Annotated[Path, typer.Argument(help="A run directory.")]) -> None:
    """Show a finished run again."""
    from lab.running import open_run
    from lab.terminal import print_view, result_view

    result = open_run(run)
    print_view(result_view(result))
    if not result.passed:
        raise typer.Exit(FAILED)


@command
def compare(runs: Annotated[list[Path], typer.Argument(help="Run directories.")]) -> None:
    """Put the summaries of several runs side by side."""
    from lab.running import open_run
    from lab.terminal import print_view, table_view

    first, *others = [open_run(run).table for run in runs]
    short = [run.resolve().name for run in runs]
    names = short if len(set(short)) == len(runs) else [str(run) for run in runs]
    print_view(table_view(first.beside(others, names)))


@command
def list_(
    what: Annotated[str, typer.Argument(metavar="|".join(CATALOGUES), help="Which catalogue.")],
    json: Annotated[bool, typer.Option("--json", help="All that is known, as JSON.")] = False,
) -> None:
    """List what there is: losses, optimizers, experiments or configs."""
    from lab import catalogues
    from lab.terminal import print_view

    if what not in CATALOGUES:
        raise LabError(f"there is no catalogue {what!r}{nearest(what, CATALOGUES)}")
    listing = getattr(catalogues, what)()
    if json:
        typer.echo(listing.as_json())
    else:
        print_view(listing.table())


@command
def schema() -> None:
    """Print the JSON Schema of configs, for editors."""
    import json

    from lab.config import schema as config_schema

    typer.echo(json.dumps(config_schema(), indent=2))


@command
def doctor() -> None:
    """Say what the lab runs on, what is slow or missing, and how to mend it."""
    from lab.doctor import examination
    from lab.terminal import print_view

    print_view(examination())


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Configs and overrides, told apart: an override has `=` and is no file."""
    overrides = [word for word in words if "=" in word and not Path(word).exists()]
    configs = [word for word in words if word not in overrides]
    if not configs:
        raise LabError("no config is given; `lab list configs` names the built-in ones")
    for word in configs[1:]:
        if not Path(word).exists() and word.rpartition(".")[2] not in ("toml", word):
            raise LabError(f"{word}: no such file; an override is KEY=VALUE, as in run.steps=200")
    return configs, overrides


def main() -> None:
    """Run the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show every sign
            stream.reconfigure(errors="replace")
    app()
