"""The site as a browser shows it, with the network off; values are read, not pixels."""

import math

import numpy as np
import pytest
from PIL import Image
from test_site_pages import PAGES

pytestmark = pytest.mark.browser

SIZES = {"phone": (390, 844), "projector": (1920, 1080)}


@pytest.fixture
def visit(chromium, made):
    """Open a page of the site; afterwards nothing may have been asked for, or complained of."""
    contexts, asked, said = [], [], []

    def open_page(name, size="projector", anchor="", **options):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, offline=True, **options
        )
        context.set_default_timeout(180_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((made.site.parent / f"{name}.html").as_uri() + anchor)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert asked and all(url.startswith(("file:", "data:image/")) for url in asked)


def put(page, name, slider, value):
    """Move a slider as a hand does: set it and let it say so."""
    page.locator(f'[data-interactive="{name}"] [data-name="{slider}"]').evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }",
        str(value),
    )


def wait(page, condition):
    """Ask from outside till it holds: the page's own policy forbids the waiting of Playwright."""
    for _ in range(1800):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came: {condition}")


def value(page, name, output):
    """What an interactive says."""
    found = page.locator(f'[data-interactive="{name}"] [data-name="{output}"]')
    return found.get_attribute("data-value")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_its_pictures_show(visit, name, size):
    page = visit(name, size)
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate(fits)
    assert page.evaluate("[...document.images].every((i) => i.complete && i.naturalWidth)")
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_secant(visit):
    page, name = visit("03_derivatives"), "secant_tangent"
    for h in (-3, -0.05, 0.5, 2.95):
        put(page, name, "h", h)
        assert float(value(page, name, "slope")) == pytest.approx(6 + h, abs=1e-12)
    put(page, name, "h", 0)
    assert value(page, name, "slope") == "NaN"
    said = page.locator(f'[data-interactive="{name}"] output').first
    assert said.inner_text() == "slope of the secant none: 0/0"
    assert float(value(page, name, "tangent")) == 6
    page.locator('[data-name="h"]').press("ArrowRight")
    assert float(value(page, name, "slope")) == pytest.approx(6.05)
    assert page.get_by_label("distance h").get_attribute("aria-valuetext") == "0.05"


def test_epsilon_delta(visit):
    """Against a bisection of 1 - sin(d)/d = epsilon on (0, pi)."""
    page, name = visit("02_limits", "phone"), "epsilon_delta"
    for power in (-3, -2.1, -0.3):
        put(page, name, "epsilon", power)
        epsilon, low, high = 10**power, 0.0, math.pi
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if 1 - math.sin(middle) / middle < epsilon else (low, middle)
        assert float(value(page, name, "delta")) == pytest.approx(low, rel=1e-12)
        assert float(value(page, name, "approximation")) == pytest.approx(math.sqrt(6 * epsilon))


def test_taylor(visit):
    """Against sums of numbers from `math.factorial`."""
    page, name = visit("08_descent"), "taylor"
    signs = {"exp": (1, 1, 1, 1), "sin": (0, 1, 0, -1)}
    for kind, degree, x in (("exp", 0, 2), ("exp", 4, -2.5), ("sin", 9, 6), ("sin", 20, 1.2)):
        page.locator(f'[data-interactive="{name}"] input[value="{kind}"]').check()
        put(page, name, "degree", degree)
        put(page, name, "x", x)
        terms = [signs[kind][k % 4] * x**k / math.factorial(k) for k in range(degree + 1)]
        assert float(value(page, name, "polynomial")) == pytest.approx(sum(terms), abs=1e-12)
        exact = getattr(math, kind)(x)
        assert float(value(page, name, "error")) == pytest.approx(sum(terms) - exact, abs=1e-12)


def test_riemann(visit):
    page, name = visit("07_integration", color_scheme="dark"), "riemann"
    for n in (1, 7, 100):
        put(page, name, "n", n)
        edges = np.linspace(0, 2, n + 1)
        middles = (edges[:-1] + edges[1:]) / 2
        f = edges / (1 + edges**2)
        expected = {
            "left": f[:-1].sum() * 2 / n,
            "right": f[1:].sum() * 2 / n,
            "midpoint": (middles / (1 + middles**2)).sum() * 2 / n,
            "trapezoid": np.trapezoid(f, edges),
        }
        for rule, total in expected.items():
            page.locator(f'input[value="{rule}"]').check()
            assert float(value(page, name, "sum")) == pytest.approx(total, abs=1e-13)
            error = float(value(page, name, "error"))
            assert error == pytest.approx(total - math.log(5) / 2, abs=1e-13)


def test_momentum(visit):
    """Against the plain loop, where it settles and where it breaks out."""
    page, name = visit("08_descent"), "momentum_valley"
    for rate, beta in ((0.4, 0), (0.6, 0.5), (0.6, 0.25), (1.2, 0)):
        put(page, name, "rate", rate)
        put(page, name, "momentum", beta)
        x, y, u, v = -5.0, -2.0, 0.0, 0.0
        for _ in range(20):
            u, v = beta * u + 0.2 * x, beta * v + 4 * y
            x, y = x - rate * u, y - rate * v
        assert float(value(page, name, "x")) == pytest.approx(x, rel=1e-9)
        assert float(value(page, name, "y")) == pytest.approx(y, rel=1e-9)
        assert float(value(page, name, "loss")) == pytest.approx(0.1 * x**2 + 2 * y**2, rel=1e-9)


def gradient(x, y):
    """Of three wells, by the quotient rule on each."""
    a, b, c = 3 + 3 * (x - 0.5) ** 2 + 3 * (y - 0.5) ** 2, 1 + 2 * (x - 3) ** 2, 1.0
    b, c = b + 2 * (y - 1.5) ** 2, c + 0.5 * (x - 3.5) ** 2 + 0.5 * (y - 4) ** 2
    gx = 60 * (x - 0.5) / a**2 + 8 * (x - 3) / b**2 + 3 * (x - 3.5) / c**2
    gy = 60 * (y - 0.5) / a**2 + 8 * (y - 1.5) / b**2 + 3 * (y - 4) / c**2
    return gx, gy


def descended(x, y, rate):
    for _ in range(1000):
        gx, gy = gradient(x, y)
        x, y = x - rate * gx, y - rate * gy
    return x, y


def test_basins(visit):
    """Clicked starts, and one moved by keys, end where the plain loop ends."""
    page, name = visit("08_descent"), "basins_three_wells"
    wells = dict(
        zip("ABC", (descended(*p, 0.05) for p in ((0.5, 0.5), (3, 1.5), (3.5, 4))), strict=True)
    )

    def expected(rate):
        start = [float(value(page, name, key)) for key in ("start-x", "start-y")]
        end = descended(*start, rate)
        near = [well for well, at in wells.items() if math.dist(end, at) < 1e-2]
        return near[0] if near else "none"

    picture = page.locator(f'[data-interactive="{name}"] svg')
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    seen = set()
    for across, up in ((0.2, 0.1), (0.8, 0.3), (0.7, 0.9), (0.3, 0.5)):
        at = {"x": box["width"] * across, "y": box["height"] * (1 - up)}
        picture.click(position=at)
        assert float(value(page, name, "start-x")) == pytest.approx(5 * across, abs=0.5)
        assert value(page, name, "well") == expected(0.2)
        seen.add(value(page, name, "well"))
    assert seen == {"A", "B", "C"}
    before = float(value(page, name, "start-x"))
    picture.press("ArrowLeft")
    picture.press("Shift+ArrowRight")
    assert float(value(page, name, "start-x")) == pytest.approx(before - 0.09)
    for rate in (0.05, 1.5):
        put(page, name, "rate", rate)
        assert value(page, name, "well") == expected(rate)
    picture.click(position={"x": box["width"] * 0.2, "y": box["height"] * 0.9})
    assert value(page, name, "well") == expected(1.5) == "none"  # 2 / lambda_max there is less


def test_the_picture_of_basins_has_as_many_tones_as_wells(visit):
    page = visit("08_descent")
    wait(page, "document.querySelector('canvas').width === 150")
    tones = page.evaluate(
        """() => { const c = document.querySelector("canvas");
        const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
        const seen = new Set();
        for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 3).join(" "));
        return seen.size; }"""
    )
    assert tones == 5  # plain, stripes on a ground, dots on a ground


def test_an_animation_plays_when_asked_and_only_then(visit):
    """The still picture first, whatever motion is wanted; play, pause, and play on."""
    page = visit("08_descent", reduced_motion="reduce")
    play, still = page.locator("[data-play]"), page.locator("figure picture")
    frame = page.locator("[data-frame]")
    assert still.is_visible() and page.locator(".moving").count() == 0
    assert play.get_attribute("aria-pressed") == "false"
    play.press("Enter")
    assert page.locator(".moving canvas").is_visible() and not still.is_visible()
    assert play.get_attribute("aria-pressed") == "true" and "Pause" in play.inner_text()
    wait(page, "document.querySelector('[data-frame]').value === '2'")
    play.click()
    assert play.get_attribute("aria-pressed") == "false" and "Play" in play.inner_text()
    held = frame.input_value()
    page.wait_for_timeout(400)
    assert frame.input_value() == held and page.locator(".moving canvas").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_frames_shown_are_those_of_the_file(visit, made, theme):
    """Each by its slider, forwards and back, against Pillow's reading of the GIF."""
    page = visit("08_descent", color_scheme=theme)
    suffix = "" if theme == "light" else "-dark"
    folder = made.site.parent / "08_descent" / "basins_three_wells" / "figures"
    with Image.open(folder / f"line{suffix}.gif") as gif:
        assert gif.n_frames == 3
        for index in (2, 0, 1):
            page.locator("[data-frame]").evaluate(
                "(input, i) => { input.value = i; input.dispatchEvent(new Event('input')); }", index
            )
            width, height, *shown = page.locator(".moving canvas").evaluate(
                """(c) => { const found = [c.width, c.height];
                const copy = document.createElement("canvas");
                [copy.width, copy.height] = found;
                const paint = copy.getContext("2d", { willReadFrequently: true });
                paint.drawImage(c, 0, 0);
                const { data } = paint.getImageData(0, 0, c.width, c.height);
                for (let i = 0; i < data.length; i += 4 * 37) found.push(...data.slice(i, i + 4));
                return found; }"""
            )
            gif.seek(index)
            expected = np.asarray(gif.convert("RGBA")).reshape(-1, 4)[::37]
            assert (width, height) == gif.size
            assert np.array_equal(np.reshape(shown, (-1, 4)), expected)


def test_arrow_keys_go_from_figure_to_figure_and_on_to_the_next_topic(visit):
    page = visit("07_integration")
    focused = "document.activeElement.id"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "riemann"
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/08_descent.html")
    for name in ("basins_three_wells", "momentum_valley", "taylor"):
        page.keyboard.press("ArrowRight")
        assert page.evaluate(focused) == name
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == "momentum_valley"
    page.locator('[data-name="momentum"]').press("ArrowRight")  # the slider keeps its keys
    assert page.evaluate("document.activeElement.dataset.name") == "momentum"


def test_arrow_keys_go_from_card_to_card(visit):
    page = visit("index")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.href").endswith("#secant_tangent")
    page.keyboard.press("Enter")
    page.wait_for_url("**/03_derivatives.html#secant_tangent")


def test_the_first_tab_skips_to_the_content_and_is_seen(visit):
    page = visit("03_derivatives")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("(link) => link === document.activeElement")
    assert skip.bounding_box()["width"] > 100
    assert skip.evaluate("(link) => getComputedStyle(link).outlineWidth") == "3px"


def test_slides(visit):
    """One figure a slide; keys move, Escape puts everything back where it was."""
    page = visit("08_descent")
    order = "[...document.querySelectorAll('.slide')].map((s) => s.dataset.title ?? 'figure')"
    before = page.evaluate(order)
    page.keyboard.press("p")
    stage, count = page.locator("#stage"), page.locator("#stage-count")
    assert stage.is_visible() and count.inner_text() == "1 / 4"
    assert page.locator("#stage-title").inner_text() == "Basins three wells"
    assert page.locator("#stage-slide figure").bounding_box()["width"] > 1500
    assert float(stage.evaluate("(s) => parseFloat(getComputedStyle(s).fontSize)")) > 30
    for key, shown in (("ArrowRight", 2), ("End", 4), ("ArrowRight", 4), ("ArrowLeft", 3),
                       ("Home", 1)):  # fmt: skip
        page.keyboard.press(key)
        assert count.inner_text() == f"{shown} / 4"
        assert page.locator("#stage-slide > *").count() == 1
    page.keyboard.press("Escape")
    wait(page, "!document.querySelector('#stage-slide > *')")  # the dialog tells of its end later
    assert not stage.is_visible() and page.evaluate(order) == before


def test_print_leaves_out_what_paper_cannot_do(visit, tmp_path):
    page = visit("08_descent", color_scheme="dark")
    page.emulate_media(media="print")
    for gone in (".tools", ".interactive >> nth=0", "[data-play]", ".contents"):
        assert not page.locator(gone).first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("picture img").evaluate("(i) => i.currentSrc === i.src")
    assert page.pdf()[:4] == b"%PDF"


def test_pictures_are_not_blank(visit, tmp_path):
    for size, (width, height) in SIZES.items():
        page = visit("03_derivatives", size, anchor="#secant_tangent")
        page.screenshot(path=tmp_path / f"{size}.png")
        with Image.open(tmp_path / f"{size}.png") as image:
            assert image.size == (width, height)
            assert len(image.convert("RGB").getcolors(1 << 24)) > 50
