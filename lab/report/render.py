"""From a `Page` to HTML: one file that works offline, and a fragment for notebooks.

Whatever a user may have written (titles, labels, configs) is escaped by the templates; a content
security policy lets the page load nothing from anywhere, and run only its own script.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from lab.plots.text import number, percent, words
from lab.report.page import Page
from lab.report.pictures import pictures

SCALES = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"), (1e3, " thousand"))


def render(page: Page | Mapping[str, Any]) -> str:
    """The whole report as one self-contained HTML page.

    Args:
        page: A `Page`, or a mapping with its fields.
    """
    page = page if isinstance(page, Page) else Page(**page)
    style, script = asset("style.css"), scripts()
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            pictures=pictures(page.figures),
            style=style,
            script=script,
            style_hash=digest(style),
            script_hash=digest(script),
        )
    )


def notebook_html(page: Page | Mapping[str, Any]) -> str:
    """A compact fragment for `_repr_html_`: verdict, summary, light figures, failed checks."""
    page = page if isinstance(page, Page) else Page(**page)
    shown = pictures(page.figures)
    return environment().get_template("notebook.html.j2").render(page=page, pictures=shown)


def cell(value: Any, kind: str = "text") -> str:
    """A table's cell as text, by the kind of its column."""
    if value is None:
        return ""
    if isinstance(value, str) or kind == "text":
        return str(value)
    if kind == "percent":
        return percent(float(value))
    return seconds(float(value)) if kind == "seconds" else number(value).replace("inf", "∞")


def seconds(value: float) -> str:
    """A duration as one would say it: `340 ms`, `12.3 s`, `4 min 10 s`.

    Examples:
        >>> seconds(0.34), seconds(12.34), seconds(250)
        ('340 ms', '12.3 s', '4 min 10 s')
    """
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 100:
        return f"{value:.1f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"


def magnitude(value: float) -> str:
    """A large number in words: `1.86 billion`.

    Examples:
        >>> magnitude(1.86e9), magnitude(12.0)
        ('1.86 billion', '12')
    """
    for scale, name in SCALES:
        if value >= scale:
            return f"{value / scale:.3g}{name}"
    return number(value)


@functools.cache
def environment(package: str = "lab.report") -> Environment:
    """Templates of a package; those of the report serve every page."""
    packages = dict.fromkeys([package, "lab.report"])
    made = Environment(
        loader=ChoiceLoader([PackageLoader(name, ".") for name in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        cell=cell, number=number, percent=percent, seconds=seconds, magnitude=magnitude, words=words
    )
    return made


@functools.cache
def asset(name: str, package: str = "lab.report") -> str:
    """A style or a script of a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def scripts() -> str:
    """What every page runs: themes, copying, and animations."""
    return asset("animation.js") + asset("script.js")


def digest(text: str) -> str:
    """What a content security policy calls a style or script by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
