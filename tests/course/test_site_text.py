"""Topics' text: Markdown and LaTeX become HTML and MathML, and nothing else does."""

from xml.etree import ElementTree

import pytest

from lab.course.text import Text, html, line, math


def shape(latex):
    """Tags and text of the MathML, as nested tuples."""

    def of(element):
        return (element.tag, element.text or "", *map(of, element))

    (inside,) = ElementTree.fromstring(math(latex))
    return of(inside)


def test_latex_becomes_mathml():
    assert shape(r"\frac{a}{2}") == (
        *("mrow", ""),
        ("mfrac", "", ("mrow", "", ("mi", "a")), ("mrow", "", ("mn", "2"))),
    )
    assert shape("x<y") == ("mrow", "", ("mi", "x"), ("mo", "<"), ("mi", "y"))
    assert ElementTree.fromstring(math("x<y")).get("alttext") == "x<y"
    assert 'display="block"' in math("x", "block") and "xmlns" not in math("x")


def test_functions_keep_their_distance_but_not_from_brackets():
    assert shape(r"\sin x")[2:] == (("mi", "sin"), ("mspace", ""), ("mi", "x"))
    assert [part[0] for part in shape(r"\ln^2 x")[2:]] == ["msup", "mspace", "mi"]
    assert "mspace" not in math(r"\sin(x)")


def test_a_prime_is_no_script():
    """It stands raised by itself: in a script it would be raised, and made small, once more."""
    f, n = ("mi", "f"), ("mi", "n")
    assert shape("f'") == ("mrow", "", ("mrow", "", f, ("mo", "′")))
    assert shape("f''(x)")[2] == ("mrow", "", f, ("mo", "″"))
    assert shape("f'_n")[2] == ("mrow", "", ("msub", "", f, n), ("mo", "′"))
    assert shape("{f'}^2")[2][0] == "msup" and shape("f^2")[2][0] == "msup"


@pytest.mark.parametrize(
    ("markdown", "count"),
    [
        ("$x$ and $y$", 2),
        ("it costs $5 or $6", 0),
        ("`$x$` and \\$x\\$", 0),
        ("a $ b $ c", 0),
        ("$$\na\n- b\n= c\n$$", 1),
        ("slope\n$$x$$\nof it", 1),
        ("$$ never closed", 0),
        ("| a |\n|---|\n| $x$ |", 1),
    ],
)
def test_what_is_mathematics(markdown, count):
    assert html(markdown).count("<math ") == count


def test_display_mathematics_stands_alone():
    made = html("slope\n$$x\n+ y$$\nof it")
    assert made.startswith('<p>slope</p>\n<div class="formula"') and made.endswith("of it</p>\n")
    assert "<li>" not in made


def test_markup_in_the_text_stays_text():
    assert "<b>" not in html("<b>x</b>\n\n<script>f()</script>") + line("<i>")
    assert line("a *b*") == "a <em>b</em>"


def test_a_comma_is_not_left_behind_by_its_formula():
    assert '<span class="tied">(<math' in html("so ($x$), and")
    assert "</math>),</span>" in html("so ($x$), and")
    assert "tied" not in html("$x$ and")


def test_sections_are_found():
    text = Text.of(
        "# One\n\nWhy.\n\n## f_x: Of $x$\n\nBody.\n\n```\n## not: this\n```\n"
        "## g: Of g\n\nTry: `x`\n\n## Remarks\n\nMore.\n"
    )
    assert text.title == "One" and list(text.sections) == ["f_x", "g"]
    assert text.introduction == "Why.\n\n## Remarks\n\nMore."
    assert text.sections["f_x"].heading == "Of $x$"
    assert text.sections["f_x"].body == "Body.\n\n```\n## not: this\n```"
    assert Text.of("") == Text()
