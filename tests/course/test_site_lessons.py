"""What the course consists of: configs and texts that belong together."""

import re

import made_course
import pytest

from lab.course.counts import counted
from lab.course.interactive import INTERACTIVES, interactives
from lab.course.lessons import chosen, topics
from lab.course.text import html, line
from lab.errors import LabError

EVERY = topics()


@pytest.mark.parametrize("topic", EVERY, ids=[topic.name for topic in EVERY])
def test_every_config_has_a_section_and_every_section_a_config(topic):
    assert set(topic.text.sections) == {lesson.name for lesson in topic.lessons}
    assert topic.text.title and len(topic.text.introduction) > 100


@pytest.mark.parametrize("topic", EVERY, ids=[topic.name for topic in EVERY])
def test_every_formula_of_the_texts_can_be_set(topic):
    """No command is left over, and no dollar sign."""
    made = html(topic.text.introduction) + "".join(
        line(section.heading) + html(section.body) for section in topic.text.sections.values()
    )
    shown = re.sub(r"<[^>]*>", "", re.sub(r"<code>.*?</code>", "", made, flags=re.DOTALL))
    assert not re.findall(r"\\\w+|\$", shown)


@pytest.mark.parametrize("topic", EVERY, ids=[topic.name for topic in EVERY])
def test_what_a_text_says_to_try_is_a_config_of_its_topic(topic):
    for section in topic.text.sections.values():
        for key in re.findall(r"lab run (?:configs/)?course/([\w/]+)", section.body):
            assert key in {lesson.key for lesson in topic.lessons}


def test_a_topic_is_meant_by_its_name_or_number(tmp_path):
    every = topics(made_course.write(tmp_path, made_course.INTERACTIVE), tmp_path)
    assert chosen(every, None) == every
    for word in ("07_integration", "07", "7", "integration"):
        assert [topic.name for topic in chosen(every, word)] == ["07_integration"]
    assert (every[1].number, every[1].title) == ("07", "Integration")
    with pytest.raises(LabError, match="did you mean '07_integration'"):
        chosen(every, "07_intgration")
    with pytest.raises(LabError, match="holds no configs of a course"):
        topics(tmp_path / "nothing")


@pytest.mark.parametrize(("smoke", "cells"), [(False, "1,048,576"), (True, "4,096")])
def test_a_text_counts_what_its_run_has(smoke, cells):
    """The numbers as they stand in the configs, written out by hand."""
    told = {
        section: topic.text.sections[section].body
        for topic in topics(smoke=smoke)
        for section in topic.text.sections
    }
    assert f"into {cells} cells" in told["discontinuity_zoo"]
    runs = f"{61 * 20:,}" if smoke else "1,001,000"
    assert f"rates and starts, {runs} runs" in told["gd_1d_rates"]
    assert f"Each of {cells if smoke else '4,194,304'} starts" in told["basins_three_wells"]
    assert f"On {'2,000' if smoke else '100,000'} random networks" in told["backprop_graph"]
    assert not any("<<" in body for body in told.values())


@pytest.mark.parametrize("key", ["cells", "starts.grid", "title", "starts.x * seed", "seed.x"])
def test_a_text_counts_only_whole_numbers_of_its_config(tmp_path, key):
    config = tmp_path / "some.toml"
    config.write_text('experiment = "x.py"\ntitle = "Some"\nseed = 3\nstarts = {x = [2, 1.5]}\n')
    (tmp_path / "x.py").write_text("")
    assert counted("<<seed * seed>> < <<2000 * seed>>", config) == "9 < 6,000"
    with pytest.raises(LabError, match="has no whole number at"):
        counted(f"<<{key}>> cells", config)


def test_lessons_come_in_the_order_of_the_text(tmp_path):
    made_course.write(tmp_path, made_course.INTERACTIVE)
    text = "# D\n\n## taylor: T\n\nx\n\n## momentum_valley: M\n\ny\n"
    (tmp_path / "08_descent.md").write_text(text)
    topic = topics(tmp_path, tmp_path)[-1]
    names = [lesson.name for lesson in topic.lessons]
    assert names == ["taylor", "momentum_valley", "basins_three_wells"]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("gradient", "08_gradient_descent"),
        ("Backprop", "09_backpropagation"),
        ("derivatives", "03_derivatives"),  # a whole name, although also a part of another
        ("vector", "05_vector_calculus"),
    ],
)
def test_a_topic_is_meant_by_a_part_that_no_other_has(word, name):
    assert [topic.name for topic in chosen(EVERY, word)] == [name]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("deriv", "has several topics 'deriv': 03_derivatives, 04_partial_derivatives"),
        ("gradent", "no topic 'gradent'; did you mean '08_gradient_descent'"),
        ("derivatve", "no topic 'derivatve'; did you mean '03_derivatives'"),
        ("12", "no topic '12'; allowed: 01_functions, "),
        ("", "no topic ''; allowed: 01_functions, "),
    ],
)
def test_no_topic_is_meant(word, told):
    with pytest.raises(LabError, match=re.escape(told)):
        chosen(EVERY, word)


@pytest.mark.parametrize("name", INTERACTIVES)
def test_every_interactive_has_its_script(name):
    assert f'kit.start("{name}"' in interactives([name]) and "</" not in interactives([name])


def test_no_interactive_no_script():
    assert interactives([]) == ""
