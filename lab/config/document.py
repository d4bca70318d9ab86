"""A config from file to validated objects, and what two configs differ in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lab.config import overrides as _overrides
from lab.config.crosscheck import between_tables
from lab.config.fields import Context
from lab.config.messages import ConfigError, Located, faults_of, key_text, locate, show
from lab.config.models import UsualConfig
from lab.config.positions import Places
from lab.config.reading import read
from lab.errors import Fault, nearest

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Variant:
    """A table with its places: the config as it is, or as `[smoke]` makes it."""

    table: dict[str, Any]
    places: Places
    smoke: bool = False


@dataclass(frozen=True)
class Document:
    """A config that has been read, with its overrides, before any model has judged it."""

    path: Path
    text: str  # as it stands in the file: `text.encode()` gives its exact bytes
    variants: tuple[Variant, ...] = field(repr=False)  # plain, then smoke if there is [smoke]
    smoke: bool = False

    @property
    def table(self) -> dict[str, Any]:
        """The config as a plain dict, overrides applied, without `[smoke]`."""
        return self.variant.table

    @property
    def variant(self) -> Variant:
        """The variant that is asked for."""
        return self.variants[-1 if self.smoke else 0]

    @property
    def folder(self) -> Path:
        """The folder that files named in the config are relative to."""
        return self.path.parent

    @property
    def experiment(self) -> str:
        """The experiment's name, or the `.py` file beside the config that holds it."""
        return self.table["experiment"]

    def validate(self, model: type[Model]) -> Model:
        """The config as an instance of an experiment's model.

        Both the plain config and the one that `[smoke]` makes are checked, whichever is asked for.

        Raises:
            ConfigError: with every fault of the whole file.
        """
        found: dict[str, Located] = {}
        instances = {}
        cache: dict[tuple[str, str], Any] = {}
        for variant in self.variants:
            faults, instance = _judge(variant, model, Context(self.folder, cache))
            instances[variant.smoke] = instance
            for fault in faults:
                found.setdefault(*_under_smoke(fault, variant, found))
        if found:
            raise ConfigError(list(found.values()))
        instance = instances[self.variant.smoke]
        assert instance is not None, "a config without faults has an instance"
        return instance

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """What changed from another table to this one: `run.steps: 500 -> 200`."""
        return list(_differences(other, self.table, ()))


def load(
    path: Path | str,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    smoke: bool = False,
    experiments: Iterable[str] | None = None,
) -> Document:
    """Reads a config, with `key=value` overrides (they win over `[smoke]`).

    `experiments` are the names that `experiment` may have, besides `.py` files.

    Raises:
        ConfigError: if the file cannot be read, or its experiment is missing or unknown.
    """
    path = Path(path)
    source = read(path)
    places = Places.of(source.name, source.text)
    table = dict(source.table)
    quick = table.pop("smoke", {})
    given = (
        _overrides.from_mapping(overrides)
        if isinstance(overrides, Mapping)
        else _overrides.from_words([overrides] if isinstance(overrides, str) else overrides)
    )
    if not isinstance(quick, Mapping):
        fault = Fault(("smoke",), f"{show(quick)} is not allowed; give a table of overrides")
        raise ConfigError([locate(fault, places)])
    variants = [Variant(*_overrides.apply(table, places, given))]
    if quick or smoke:
        seconds = _overrides.from_smoke(quick, places)
        variants.append(Variant(*_overrides.apply(table, places, [*seconds, *given]), smoke=True))
    document = Document(path, source.text, tuple(variants), smoke)
    _check_experiment(document, experiments)
    return document


def _check_experiment(document: Document, experiments: Iterable[str] | None) -> None:
    """Refuses an experiment that cannot be loaded, along with the faults of the usual tables."""
    if experiments is not None:
        experiments = list(experiments)
    for variant in document.variants:
        name = variant.table.get("experiment")
        message = _experiment_fault(name, document.folder, experiments)
        if message is None and isinstance(name, str):
            continue
        usual = {key: value for key, value in variant.table.items() if _is_usual(key)}
        faults, _ = _judge(Variant(usual, variant.places), UsualConfig, Context(document.folder))
        if message:
            faults.append(locate(Fault(("experiment",), message), variant.places))
        raise ConfigError(faults)


def _is_usual(key: str) -> bool:
    """Whether a key is one of the usual ones, or one of them misspelt."""
    return bool(get_close_matches(key, UsualConfig.model_fields, n=1, cutoff=0.6))


def _experiment_fault(name: Any, folder: Path, experiments: list[str] | None) -> str | None:
    if not isinstance(name, str):
        return None
    if name.endswith(".py"):
        if (folder / name).is_file():
            return None
        near = nearest(name, [file.name for file in folder.glob("*.py")])
        return f"there is no file '{folder / name}'{near}"
    if experiments is None or name in experiments:
        return None
    return f"unknown experiment {name!r}{nearest(name, experiments)}"


def _judge(
    variant: Variant, model: type[Model], context: Context
) -> tuple[list[Located], Model | None]:
    """One variant's faults, and its instance if there are none."""
    instance = None
    try:
        instance = model.model_validate(variant.table, context=context)
        faults = []
    except ValidationError as error:
        faults = faults_of(error, variant.table, model.model_json_schema())
    faults += between_tables(context.built, variant.table)
    return [locate(fault, variant.places) for fault in faults], instance


def _under_smoke(
    fault: Located, variant: Variant, plain: Mapping[str, Located]
) -> tuple[str, Located]:
    """The fault by its text; one that only `[smoke]` brings about, elsewhere, says so."""
    if variant.smoke and not fault.place.smoke and str(fault) not in plain:
        fault = Located(fault.place, fault.key, f"{fault.message} (with the overrides of [smoke])")
    return str(fault), fault


def _differences(old: Any, new: Any, path: tuple[str, ...]) -> Iterable[str]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        if repr(old) != repr(new):
            yield f"{key_text(path)}: {show(old)} -> {show(new)}"
        return
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            yield f"{key_text((*path, key))}: removed"
        elif key not in old:
            yield f"{key_text((*path, key))}: added"
        else:
            yield from _differences(old[key], new[key], (*path, key))
