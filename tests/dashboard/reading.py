"""Scenarios of how the page is read and used: by keyboard, by those who see less, on small screens, with many cores."""
import re

from selenium.webdriver.common.keys import Keys

from figures import Figures

WIDTHS = (1440, 768, 390)
SCHEMES = ("light", "dark")
SECTIONS = ("traffic", "cores", "subjects", "slow", "queues", "connections")


def all_of_it_can_be_done_from_the_keyboard(world):
    browser = world.browser
    with world.server() as server, world.stand_in(server) as stand_in:
        browser.open(stand_in.url())
        browser.wait_live()
        focus = lambda: browser.run("return document.activeElement.id")
        for at, section in enumerate(SECTIONS):
            browser.press(str(at + 1))
            assert focus() == f"{section}-h", focus()
        browser.press("/")
        assert focus() == "filter"
        # Letters are text here, not orders.
        browser.press("pt?d1")
        assert browser.run("return document.activeElement.value") == "pt?d1" and browser.text("#state") == "Live"
        browser.press(Keys.ESCAPE)
        assert browser.run("return document.querySelector('#filter').value") == "" and focus() != "filter"
        browser.press("a")
        assert focus() == "account"
        browser.run("document.activeElement.blur()")
        browser.press("d")
        assert browser.run("return document.querySelector('#depth input:checked').value") == "1"
        browser.press("t")
        assert browser.run("return document.documentElement.dataset.theme") == "light"
        browser.press("t")
        assert browser.run("return document.documentElement.dataset.theme") == "dark"
        browser.press("t")
        assert browser.run("return document.documentElement.dataset.theme ?? null") is None
        browser.press("?")
        browser.wait("help opens", lambda: browser.run("return document.querySelector('#keys').open"))
        browser.press("p")
        assert browser.text("#state") == "Live", "keys are those of the dialog now"
        browser.press(Keys.ESCAPE)
        browser.wait("help closes", lambda: not browser.run("return document.querySelector('#keys').open"))
        walk_by_tab(browser)
        # In a graph, arrows say what was when.
        browser.run("document.querySelector('#msgs-chart svg').focus()")
        browser.press(Keys.ARROW_LEFT)
        browser.wait("it says what was", lambda: re.match(r"\d\d:\d\d:\d\d: in [\d.]+\u202f?k?/s, out", browser.text("#msgs-chart .readout")))
        assert browser.console() == []


def walk_by_tab(browser):
    """Tab goes through everything, in the order in which it is seen, and comes to the end."""
    browser.run("document.activeElement.blur(); window.scrollTo(0, 0); document.querySelector('.skip').focus()")
    seen = []
    for _ in range(400):
        browser.press(Keys.TAB)
        place = browser.run("""
            const e = document.activeElement;
            return e === document.body ? null : [e.closest('section')?.id ?? e.closest('header, footer')?.tagName, e.id || e.className || e.textContent];""")
        if place is None or place in seen[:1]:
            break
        seen.append(place)
    parts = list(dict.fromkeys(part for part, _ in seen))
    assert parts == ["HEADER", *[name for name in SECTIONS if name != "cores"], "FOOTER"], parts
    assert len(seen) > 40, seen


def it_can_be_read_by_everybody(world):
    browser = world.browser
    with world.server() as server, world.stand_in(server) as stand_in:
        for width in WIDTHS:
            for scheme in SCHEMES:
                # As high as the page is: so everything is in view, and is asked for.
                browser.open(stand_in.url(), width, 4500, scheme)
                browser.wait_live()
                browser.wait("tables are there", lambda: browser.texts("#connections-table .link") and browser.texts("#queues-table td") and browser.texts("#slow-table td"))
                browser.wait("with rates", lambda: browser.texts("#connections-table td.c-in")[0] != "–")
                where = f"{width} {scheme}"
                size = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]")
                assert size[0] <= size[1] == width, f"{where}: {size}"
                beyond = browser.run("""
                    return [...document.querySelectorAll('main *')].filter((e) => e.checkVisibility() && !e.closest('svg') && e.getBoundingClientRect().right > innerWidth + 1)
                        .map((e) => e.outerHTML.slice(0, 100));""")
                assert not beyond, f"{where}: {beyond}"
                wrong = browser.run_file("access.js")
                assert not wrong, f"{where}: {wrong}"
                dark = browser.run("return getComputedStyle(document.body).backgroundColor")
                assert (dark == "rgb(18, 21, 23)") == (scheme == "dark"), f"{where}: {dark}"
                if world.shots:
                    browser.shot(world.shots / f"{width}-{scheme}.png")
                assert browser.console() == [], where


def many_cores_and_one_are_shown(world):
    browser = world.browser
    for cores in (1, 64):
        with world.server() as server, world.stand_in(server, Figures(cores=cores)) as stand_in:
            browser.open(stand_in.url(), width=390, height=900)
            browser.wait_live()
            browser.wait("a lane each", lambda: browser.run("return document.querySelectorAll('#lanes > li').length") == cores)
            rings = browser.run("return document.querySelectorAll('#lanes > li:first-child .rings > li').length")
            assert rings == (0 if cores == 1 else 16), rings
            assert browser.run("return document.documentElement.scrollWidth") <= 390
            if cores > 1:
                assert browser.texts("#lanes > li:first-child .rest") == ["and 48 with less"]


def rows_keep_their_place_under_the_keyboard(world):
    """A row that moves, or a turn that comes, takes no focus away."""
    browser = world.browser
    with world.server() as server, world.stand_in(server) as stand_in:
        browser.open(stand_in.url(), height=3000)
        browser.wait_live()
        browser.wait("connections are there", lambda: browser.texts("#connections-table .link"))
        browser.run("document.querySelectorAll('#connections-table .link')[4].focus()")
        name = browser.run("return document.activeElement.textContent")
        browser.run("window.kept = document.activeElement; document.querySelector('#connections-table th.c-up button').click()")
        asked = len(stand_in.asked)
        browser.wait("turns go by", lambda: len(stand_in.asked) > asked + 20)
        assert browser.run("return document.activeElement === window.kept && document.activeElement.textContent") == name


SCENARIOS = [
    all_of_it_can_be_done_from_the_keyboard, it_can_be_read_by_everybody, many_cores_and_one_are_shown, rows_keep_their_place_under_the_keyboard,
]
