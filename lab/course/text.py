"""A topic's text: Markdown with LaTeX, in sections named by figures, to HTML with MathML."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

HEADING = re.compile(r"^(#{1,2}) +(.+?)\s*$")
NAMED = re.compile(r"^(\w+): +(.+)$")
TIED = re.compile(r"(\(?<math display=\"inline\"[^>]*>(?:(?!</math>).)*</math>[.,;:!?)]+)")
PRIMES = frozenset("′″‴⁗")
FUNCTIONS = frozenset(
    "sin cos tan sinh cosh tanh arcsin arccos arctan exp ln log max min sup inf det lim".split()
)


@dataclass(frozen=True)
class Section:
    """What is told about one figure, in Markdown."""

    heading: str
    body: str


@dataclass(frozen=True)
class Text:
    """A topic's text, in Markdown.

    Attributes:
        title: of the topic; empty where there is no text.
        introduction: what stands before the first figure.
        sections: by the name of the figure's config, in order.
    """

    title: str = ""
    introduction: str = ""
    sections: Mapping[str, Section] = field(default_factory=dict)

    @classmethod
    def of(cls, written: str) -> "Text":
        """The text that is written so; it may open with `# Title`."""
        title, introduction, sections = "", [], {}
        for level, heading, body in blocks(written):
            named = NAMED.match(heading) if level == 2 else None
            if named:
                sections[named[1]] = Section(named[2], body)
            else:
                title = title or heading
                introduction += [f"## {heading}"] if level == 2 else []
                introduction.append(body)
        return cls(title, "\n\n".join(introduction).strip(), sections)


def blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """(level, heading, what stands under it) for each `#` and `##` heading outside code."""
    level, heading, lines, fenced = 1, "", [], False
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        found = None if fenced else HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        if heading or "".join(lines).strip():
            yield level, heading, "\n".join(lines).strip()
        level, heading, lines = len(found[1]), found[2], []
    if heading or "".join(lines).strip():
        yield level, heading, "\n".join(lines).strip()


def html(markdown: str) -> str:
    """Paragraphs, lists, tables and code as HTML; markup in the text itself stays text."""
    return TIED.sub(r'<span class="tied">\1</span>', _reader().render(markdown))


def line(markdown: str) -> str:
    """One line, such as a heading, as HTML without a paragraph around it."""
    return _reader().renderInline(markdown)


def math(latex: str, display: str = "inline") -> str:
    """LaTeX as MathML, which browsers set by themselves; the LaTeX is kept as `alttext`.

    Args:
        latex: without the dollar signs.
        display: `inline` or `block`.

    Examples:
        >>> math("x")
        '<math display="inline" alttext="x"><mrow><mi>x</mi></mrow></math>'
    """
    escaped = re.sub(r"&(?!#?\w+;)", "&amp;", convert(latex, display=display))
    tree = ElementTree.fromstring(re.sub(r' xmlns="[^"]*"', "", escaped))
    tree.set("alttext", latex)
    for script in list(tree.iter()):
        if script.tag in ("msup", "msubsup") and script[-1].text in PRIMES:
            _raise_prime(script)
    for row in list(tree.iter()):
        if row.tag in ("mrow", "mtd", "mstyle"):
            _space_functions(row)
    return ElementTree.tostring(tree, "unicode")


def _raise_prime(script: ElementTree.Element) -> None:
    """`f'` as a row: fonts draw the prime raised and small already, so no script does it again."""
    *base, prime = script
    prime.tag, prime.attrib = "mo", {"lspace": "0", "rspace": "0"}
    if script.tag == "msubsup":
        below = ElementTree.Element("msub")
        below.extend(base)
        base = [below]
    script.tag, script[:] = "mrow", [*base, prime]


def _space_functions(row: ElementTree.Element) -> None:
    """`sin x` rather than `sinx`: a thin space before what is no bracket."""
    for before, after in reversed(list(zip(list(row), list(row)[1:], strict=False))):
        name = before[0] if before.tag in ("msup", "msub") else before
        if name.tag == "mi" and name.text in FUNCTIONS and after.tag not in ("mo", "mspace"):
            row.insert(list(row).index(after), ElementTree.Element("mspace", width="0.167em"))


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.inline.ruler.after("escape", "math", _inline_math)
    reader.block.ruler.before(
        "fence", "math", _display_math, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    reader.add_render_rule("math", _rendered)
    return reader


def _inline_math(state: StateInline, silent: bool) -> bool:
    """`$...$`: no space inside the signs, no digit behind them, so that prices stay prices."""
    found = re.compile(r"\$(?![\s$])((?:\\.|[^\\$])+?)(?<!\s)\$(?!\d)").match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("math", "math", 0).content = found[1]
    state.pos = found.end()
    return True


def _display_math(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """`$$...$$` on lines of its own."""
    lines: list[str] = []
    for number in range(first, end):
        start = state.bMarks[number] + state.tShift[number]
        lines.append(state.src[start : state.eMarks[number]].strip())
        if not lines[0].startswith("$$"):
            return False
        whole = "\n".join(lines)
        if len(whole) > 4 and whole.endswith("$$"):
            if not silent:
                token = state.push("math", "math", 0)
                token.content, token.block = whole[2:-2].strip(), True
                state.line = number + 1
            return True
    return False


def _rendered(
    self: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    if not token.block:
        return math(token.content)
    return f'<div class="formula" tabindex="0">{math(token.content, "block")}</div>\n'
