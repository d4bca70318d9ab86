"""`lab course`: every config of the course run, and the site built from what they left."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lab.course.lessons import Lesson, chosen, topics
from lab.course.workers import Ending, Job, run_all
from lab.devices import cores
from lab.progress import Reporter, Silent
from lab.table import Column, Table

SITE, SMOKE_SITE = Path("runs/course"), Path("runs/course-smoke")

COLUMNS = (
    Column("config", "config", "the lesson", ""),
    Column("checks", "checks", "how many hold", ""),
    Column("seconds", "seconds", "in its process, not counting other configs", ".1f"),
    Column("result", "", "whether all is well", ""),
)


@dataclass(frozen=True)
class Course:
    """What `lab course` did.

    Attributes:
        site: the page to open.
        endings: how each config ended, by its key, in the course's order.
    """

    site: Path
    endings: dict[str, Ending]

    @property
    def passed(self) -> bool:
        """Whether every config ran and every check holds."""
        return all(ending.passed for ending in self.endings.values())

    @property
    def bad_input(self) -> bool:
        """Whether a config cannot be used as it is."""
        return any(ending.bad_input for ending in self.endings.values())

    @property
    def errors(self) -> dict[str, str]:
        """What went wrong, by config; a program's failure with its trace."""
        return {key: end.trace or end.error for key, end in self.endings.items() if end.error}

    @property
    def table(self) -> Table:
        """One row a config."""
        return Table(COLUMNS, tuple(_row(key, ending) for key, ending in self.endings.items()))


def course(
    topic: str | None = None,
    *,
    smoke: bool = False,
    out: Path | None = None,
    fresh: bool = False,
    jobs: int | None = None,
    reporter: Reporter | None = None,
    configs: Path | None = None,
    texts: Path | None = None,
) -> Course:
    """Run the course, or one topic of it, and build its site.

    What is finished is not run again; what was interrupted goes on; what fails is shown.

    Args:
        topic: its name, its number or both; by default every topic.
        smoke: apply each config's `[smoke]` table.
        out: where runs and site go; by default `runs/course`, or `runs/course-smoke`.
        fresh: delete what earlier runs left there.
        jobs: processes at a time; by default one a core.
        reporter: who is told how it goes; by default nobody.
        configs: another course's folder of topics.
        texts: the folder of its texts.

    Raises:
        LabError: when there is no such topic, or the site cannot be written there.
    """
    from lab.course.site import Site

    every = topics(configs, texts, smoke)
    lessons = [lesson for one in chosen(every, topic) for lesson in one.lessons]
    folder = out or (SMOKE_SITE if smoke else SITE)
    site = Site(folder, smoke)
    site.claim()
    endings = _run(lessons, folder, smoke, fresh, jobs or cores(), reporter or Silent())
    return Course(site.build(every, endings), endings)


def _run(
    lessons: Sequence[Lesson],
    folder: Path,
    smoke: bool,
    fresh: bool,
    count: int,
    reporter: Reporter,
) -> dict[str, Ending]:
    """Run lessons side by side; say when each begins and how it ends."""
    jobs = [
        Job(lesson.key, lesson.config.resolve(), folder / lesson.topic / lesson.name, smoke, fresh)
        for lesson in lessons
    ]
    found: dict[str, Ending] = {}
    with closing(run_all(jobs, count, reporter.say)) as endings:
        for job, ending in endings:
            found[job.key] = ending
            reporter.say(f"[{len(found)}/{len(jobs)}] {job.key}: {told(ending)}")
    return {job.key: found[job.key] for job in jobs}


def told(ending: Ending) -> str:
    """How a config ended, in a few words."""
    if ending.error:
        return f"failed: {ending.error.splitlines()[0]}"
    return f"{ending.held} of {ending.checks} checks hold, {ending.seconds:.1f} s"


def _row(key: str, ending: Ending) -> dict[str, str | float]:
    result = "error" if ending.error else "holds" if ending.passed else "FAILS"
    checks = "" if ending.error else f"{ending.held} of {ending.checks}"
    return {"config": key, "checks": checks, "seconds": ending.seconds, "result": result}
