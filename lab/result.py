"""What a run left behind, opened: data, table, checks, figures, report.

What `lab show` needs is read without JAX, xarray or matplotlib; the rest is imported when used.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lab import builtin
from lab.check import Check
from lab.errors import LabError
from lab.table import Table

if TYPE_CHECKING:
    from xarray import DataTree

    from lab.plots import Figure


T = TypeVar("T")
AGAIN = "`lab run CONFIG --fresh` makes the run again"


def _checks(text: str) -> list[Check]:
    return [Check.from_row(row) for row in json.loads(text)]


class Result:
    """A run directory, read lazily. In a notebook it shows its report.

    Attributes:
        directory: where it is.
        manifest: what it was made from, and where the time went.
    """

    def __init__(self, directory: Path, manifest: Mapping[str, Any]):
        self.directory, self.manifest = directory, manifest

    def __repr__(self) -> str:
        return f"<run {str(self.directory)!r}: {self.manifest['title']}>"

    def _repr_html_(self) -> str:
        from lab.pages import page_of
        from lab.report import notebook_html

        return notebook_html(page_of(self))

    @cached_property
    def data(self) -> "DataTree":
        """The results: one group a label; arrays are read when they are used."""
        from lab import results

        return results.load(self.directory / results.RESULTS)

    @cached_property
    def figures(self) -> Mapping[str, "Figure"]:
        """The figures by name, as matplotlib figures; each is drawn when it is asked for."""
        return Gallery(self.makers())

    def makers(self) -> dict[str, Callable[[], "Figure"]]:
        """The experiment's figures, not yet drawn; one's own experiment is imported for that."""
        from lab.experiment import load_experiment, told_of

        try:
            path = builtin.find_experiment(self.manifest["experiment"], self.directory)
        except LabError as error:
            message = f"the experiment of {self.directory} is no longer there: {error}"
            raise LabError(message) from error
        experiment = load_experiment(path)
        with told_of(path):
            return experiment.figures(experiment.findings(self.data))

    @property
    def table(self) -> Table:
        """The summary, one row a contender."""
        return self._read("summary.json", Table.from_json)

    @property
    def checks(self) -> list[Check]:
        """What the run proved."""
        return self._read("checks.json", _checks)

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.directory / "report.html"

    def _read(self, name: str, understand: Callable[[str], T]) -> T:
        path = self.directory / name
        try:
            return understand(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise LabError(f"{path} cannot be read: {error.strerror}; {AGAIN}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise LabError(f"{path} is damaged; {AGAIN}") from error


class Gallery(Mapping[str, "Figure"]):
    """Figures by name; each is drawn at its first use."""

    def __init__(self, makers: Mapping[str, Callable[[], "Figure"]]):
        self._makers = dict(makers)
        self._drawn: dict[str, Figure] = {}

    def __getitem__(self, name: str) -> "Figure":
        if name not in self._drawn:
            self._drawn[name] = self._makers[name]()
        return self._drawn[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)
