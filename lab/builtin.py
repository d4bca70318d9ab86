"""Where the built-in experiments and configs are: beside the package, or inside it in a wheel."""

from pathlib import Path

from lab.errors import LabError, nearest

_PACKAGE = Path(__file__).parent


def folder(kind: str) -> Path:
    """The folder of the built-in `experiments` or `configs`."""
    packed = _PACKAGE / "builtin" / kind
    return packed if packed.is_dir() else _PACKAGE.parent / kind


def experiments() -> dict[str, Path]:
    """The built-in experiments by name."""
    return {path.stem: path for path in sorted(folder("experiments").glob("[!_]*.py"))}


def is_ours(experiment: Path) -> bool:
    """Whether an experiment's file is a built-in one."""
    return experiment.resolve().parent == folder("experiments").resolve()


def configs() -> dict[str, Path]:
    """The built-in configs by name: `quickstart`, `compare/rosenbrock`."""
    home = folder("configs")
    return {p.relative_to(home).with_suffix("").as_posix(): p for p in sorted(home.rglob("*.toml"))}


def find_config(name: str) -> Path:
    """A config by its path or, if there is no such file, by its built-in name.

    Raises:
        LabError: when it is neither.
    """
    path = Path(name)
    if path.exists():
        return path
    known = configs()
    stem = name.removesuffix(".toml")
    for key in (name, stem, stem.removeprefix("configs/")):
        if key in known:
            return known[key]
    beside = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
    hint = nearest(path.name, [*beside, *known])
    raise LabError(f"{name}: no such file, nor a built-in config{hint}")


def called(config: str) -> str:
    """A config's name as it was given or, for a path to where the lab itself lies, the built-in."""
    path, home = Path(config), folder("configs").resolve()
    if path.is_absolute() and path.resolve().is_relative_to(home):
        return path.resolve().relative_to(home).with_suffix("").as_posix()
    return config


def find_experiment(name: str, beside: Path) -> Path:
    """The file of an experiment: a built-in name, or a `.py` file relative to the config.

    Raises:
        LabError: when there is none.
    """
    if name.endswith(".py"):
        path = beside / name
        if path.is_file():
            return path
        raise LabError(f"experiment {name!r}: no such file in {beside}")
    known = experiments()
    if name not in known:
        raise LabError(f"experiment {name!r} is not known{nearest(name, known)}")
    return known[name]
