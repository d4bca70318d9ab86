"""The site: an index, a page a topic, its notebooks; files that work without a server."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from lab import builtin
from lab.course import notebooks, text
from lab.course.interactive import INTERACTIVES, Interactive, interactives
from lab.course.lessons import Lesson, Topic
from lab.course.workers import Ending
from lab.errors import LabError
from lab.files import replace_text
from lab.plots.themes import THEMES
from lab.report.page import Table
from lab.report.pictures import Picture, picture
from lab.report.render import asset, digest, environment, scripts

MARK = '<meta name="generator" content="lab course">'
THUMBNAIL = 480  # pixels across


@dataclass(frozen=True)
class Part:
    """A lesson as its topic's page shows it.

    Attributes:
        lesson: which.
        heading: HTML.
        body: HTML.
        question: the run's title.
        verdict: its answer.
        pictures: its figures.
        checks: rows of its checks.
        summary: its table.
        config_text: the config's exact text.
        command: what to type to run it again.
        error: why there is no run.
        report: where the run's own report is, from the site's folder.
        interactive: what can be moved by hand.
    """

    lesson: Lesson
    heading: str
    body: str
    command: str
    question: str = ""
    verdict: str = ""
    pictures: Sequence[Picture] = ()
    checks: Sequence[Mapping[str, Any]] = ()
    summary: Table | None = None
    config_text: str = ""
    error: str = ""
    report: str = ""
    interactive: Interactive | None = None

    @property
    def failed(self) -> int:
        """How many checks failed."""
        return sum(not check["passed"] for check in self.checks)


@dataclass(frozen=True)
class Page:
    """A topic and its parts; a topic without any was never run."""

    topic: Topic
    introduction: str
    parts: Sequence[Part] = field(default_factory=list)

    @property
    def file(self) -> str:
        """Its name in the site's folder."""
        return f"{self.topic.name}.html"


class Site:
    """The site in a folder, beside the runs that it shows."""

    def __init__(self, folder: Path, smoke: bool = False):
        self.folder, self.smoke = folder, smoke
        self.index = folder / "index.html"

    def claim(self) -> None:
        """Make the folder.

        Raises:
            LabError: when it cannot be made, or holds somebody else's site.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            theirs = self.index.exists() and MARK not in self.index.read_text("utf-8", "replace")
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"{self.folder} cannot be written: {reason}; choose another with --out"
            raise LabError(message) from error
        if theirs:
            raise LabError(f"{self.index} is not the course's; choose another folder with --out")

    def build(self, topics: Sequence[Topic], endings: Mapping[str, Ending]) -> Path:
        """Write every page; returns the index.

        Args:
            topics: all topics of the course.
            endings: how the configs ended that were run now; others are shown where they are done.
        """
        pages = [self._page(topic, endings) for topic in topics]
        there = [page for page in pages if page.parts]
        (self.folder / "notebooks").mkdir(exist_ok=True)
        for place, page in enumerate(there):
            before, after = there[place - 1 : place], there[place + 1 : place + 2]
            self._write(
                self.folder / page.file,
                "topic.html.j2",
                interactives([part.lesson.name for part in page.parts if part.interactive]),
                page=page,
                before=before[0] if before else None,
                after=after[0] if after else None,
            )
            self._write_notebooks(page)
        self._write(
            self.index, "index.html.j2", "", pages=pages, thumbnail=thumbnail, smoke=self.smoke
        )
        return self.index

    def _page(self, topic: Topic, endings: Mapping[str, Ending]) -> Page:
        parts = [self._part(topic, lesson, endings.get(lesson.key)) for lesson in topic.lessons]
        found = [part for part in parts if part is not None]
        return Page(topic, text.html(topic.text.introduction), found)

    def _part(self, topic: Topic, lesson: Lesson, ending: Ending | None) -> Part | None:
        section = topic.text.sections.get(lesson.name)
        smoke = " --smoke" if self.smoke else ""
        told: dict[str, Any] = {
            "lesson": lesson,
            "heading": text.line(section.heading if section else notebooks.words(lesson)),
            "body": text.html(section.body) if section else "",
            "command": f"lab run course/{lesson.key}{smoke}",
        }
        if ending is not None and ending.error:
            error = ending.error
            for folder in (lesson.config.resolve().parent, builtin.folder("experiments")):
                error = error.replace(f"{folder}/", "")
            return Part(**told, error=error, config_text=_read(lesson.config))
        from lab.pages import page_of
        from lab.running import open_run

        directory = self.folder / lesson.topic / lesson.name
        if ending is None:
            try:
                run = open_run(directory)
            except LabError:  # not run, or not to its end
                return None
        else:
            run = open_run(directory)
        shown = page_of(run)
        return Part(
            **told,
            question=shown.title,
            verdict=shown.verdict,
            pictures=[picture(files) for files in shown.figures],
            checks=shown.checks,
            summary=shown.summary,
            config_text=shown.config_text,
            report=f"{lesson.key}/{run.report.name}",
            interactive=INTERACTIVES.get(lesson.name),
        )

    def _write(self, path: Path, template: str, further: str, **told: Any) -> None:
        style = "\n".join([asset("style.css"), palette(), asset("course.css", "lab.course")])
        script = "\n".join([scripts(), asset("course.js", "lab.course"), further])
        made = environment("lab.course").get_template(template)
        page = made.render(
            mark=MARK,
            style=style,
            script=script,
            style_hash=digest(style),
            script_hash=digest(script),
            **told,
        )
        replace_text(path, page)

    def _write_notebooks(self, page: Page) -> None:
        figures = {
            part.lesson.name: [one.files.name for one in part.pictures]
            for part in page.parts
            if part.pictures
        }
        made = list(notebooks.cells(page.topic, figures, self.smoke))
        stem = self.folder / "notebooks" / page.topic.name
        replace_text(stem.with_name(f"{stem.name}.ipynb"), notebooks.as_ipynb(made))
        replace_text(stem.with_name(f"{stem.name}.py"), notebooks.as_python(made))


def palette() -> str:
    """The colours of the figures, light and dark, as the style's variables."""
    light, dark = (
        "; ".join(f"--c{index}: {colour}" for index, colour in enumerate(theme.categories[:6]))
        for theme in (THEMES["light"], THEMES["dark"])
    )
    return (
        f":root {{ {light}; }}\n"
        f':root[data-theme="dark"] {{ {dark}; }}\n'
        f"@media (prefers-color-scheme: dark) {{ "
        f':root:not([data-theme="light"]) {{ {dark}; }} }}\n'
        f"@media print {{ :root:root:root {{ {light}; }} }}"
    )


def thumbnail(path: Path) -> str:
    """A PNG made small, as a data URI."""
    buffer = io.BytesIO()
    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        small.quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            buffer, "PNG", optimize=True
        )
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""
