"""What the course consists of: topics, and one lesson for each config."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab import builtin
from lab.course.counts import counted
from lab.course.text import Text
from lab.errors import LabError, close, nearest

TEXTS = Path(__file__).parent / "topics"


@dataclass(frozen=True)
class Lesson:
    """One config of the course.

    Attributes:
        topic: the name of its topic, `03_derivatives`.
        name: its own, the config's stem.
        config: the file.
    """

    topic: str
    name: str
    config: Path

    @property
    def key(self) -> str:
        """`03_derivatives/secant_tangent`: its place among the runs and on the site."""
        return f"{self.topic}/{self.name}"


@dataclass(frozen=True)
class Topic:
    """A topic: its lessons in the order in which its text tells them, then those it leaves out."""

    name: str
    text: Text
    lessons: tuple[Lesson, ...]

    @property
    def number(self) -> str:
        """`03`; empty if the name has none."""
        head = self.name.partition("_")[0]
        return head if head.isdigit() else ""

    @property
    def bare(self) -> str:
        """The name without its number: `derivatives`."""
        return self.name.removeprefix(f"{self.number}_")

    @property
    def title(self) -> str:
        """The text's title, or the name in words."""
        words = self.bare.replace("_", " ")
        return self.text.title or words[:1].upper() + words[1:]


def topics(
    configs: Path | None = None, texts: Path | None = None, smoke: bool = False
) -> list[Topic]:
    """All topics, in order.

    Args:
        configs: the folder that holds one folder a topic; by default the course's own.
        texts: the folder of `NN_topic.md`, which need not be there.
        smoke: whether the texts tell of the runs that `[smoke]` makes.

    Raises:
        LabError: when there is not one config.
    """
    home = builtin.folder("configs") / "course" if configs is None else configs
    found: dict[str, list[Lesson]] = {}
    for path in sorted(home.glob("*/*.toml")):
        found.setdefault(path.parent.name, []).append(Lesson(path.parent.name, path.stem, path))
    if not found:
        raise LabError(f"{home} holds no configs of a course")
    return [_topic(name, lessons, texts or TEXTS, smoke) for name, lessons in found.items()]


def chosen(every: Sequence[Topic], word: str | None) -> list[Topic]:
    """The topics that a word means; None means all.

    A word is a name, `03_derivatives`, its number, `03` or `3`, or a part that no other name has:
    `partial`.

    Raises:
        LabError: when it means none, or several.
    """
    if word is None:
        return list(every)
    wanted = word.zfill(2) if word.isdigit() else word.lower()
    for topic in every:
        if wanted in (topic.name, topic.number, topic.bare):
            return [topic]
    partly = [topic for topic in every if wanted and wanted in topic.bare]
    if len(partly) == 1:
        return partly
    if names := [topic.name for topic in partly]:
        raise LabError(f"the course has several topics {word!r}: {', '.join(names)}")
    raise LabError(f"the course has no topic {word!r}{_near(wanted, every)}")


def _near(wanted: str, every: Sequence[Topic]) -> str:
    """`; did you mean ...?` for the topic whose name, or a word of it, is nearest."""
    words = {part: topic.name for topic in every for part in topic.bare.split("_")}
    words |= {name: topic.name for topic in every for name in (topic.bare, topic.name)}
    found = close(wanted, words)
    return nearest(words.get(found or "", wanted), [topic.name for topic in every])


def _topic(name: str, lessons: list[Lesson], texts: Path, smoke: bool) -> Topic:
    file = texts / f"{name}.md"
    text = Text.of(file.read_text("utf-8") if file.exists() else "")
    order = {section: place for place, section in enumerate(text.sections)}
    lessons.sort(key=lambda lesson: order.get(lesson.name, len(order)))
    sections = dict(text.sections)
    for lesson in lessons:
        if told := sections.get(lesson.name):
            body = counted(told.body, lesson.config, smoke)
            sections[lesson.name] = replace(told, body=body)
    return Topic(name, replace(text, sections=sections), tuple(lessons))
