"""What people see of the dashboard: python scenarios.py SERVER [--shots DIRECTORY] [--only WORD]

Starts the server program, a stand-in for what a test server cannot be brought to show, and a headless Chromium; plays the scenarios
one after the other and ends with `N passed, M failed`. Every wait is for something, and has a deadline; only that nothing happens is
waited for by time.
"""
import argparse
import pathlib
import re
import sys
import time
import traceback

from selenium.webdriver.common.keys import Keys

import reading
from browser import Browser, number
from figures import ACCOUNTS, HOSTILE, Figures
from servers import Client, Dunlin, StandIn, Traffic, fetch


class World:
    def __init__(self, program, shots):
        self.program, self.shots = program, shots
        self.browser = Browser()

    def server(self, **more):
        return Dunlin(self.program, ("--cores", "2", "--no_pin"), **more)

    def stand_in(self, server, figures=None, **more):
        return StandIn(server, (figures or Figures()).pages(), **more)


def it_draws_and_follows_the_traffic(world):
    browser = world.browser
    with world.server() as server:
        browser.open(server.url(), height=3000)
        browser.wait_live()
        assert browser.text("#in-msgs") == "0", browser.text("#in-msgs")
        assert len(browser.texts("#lanes > li")) == 2
        assert "No connection is open." in browser.texts("#connections-table p")
        traffic = Traffic(server)
        browser.wait("messages come in", lambda: (number(browser.text("#in-msgs")) or 0) > 100)
        browser.wait("and go out", lambda: (number(browser.text("#out-msgs")) or 0) > 100)
        browser.wait("bytes too", lambda: re.search("KiB|MiB", browser.text("#in-bytes")))
        browser.wait("the graph has a line", lambda: browser.run("return document.querySelector('#msgs-chart path.in').getAttribute('d').split('L').length") > 2)
        browser.wait("connections are listed", lambda: set(browser.texts("#connections-table .link")) == {"till", "billing", "stock", "audit"})
        browser.wait("subjects are", lambda: "orders.berlin.new" in browser.texts("#subjects-table td.c-subject"))
        browser.wait("the queue group is", lambda: browser.texts("#queues-table td.c-queue .first") == ["workers"])
        browser.wait("its members are", lambda: browser.texts("#queues-table td.c-members") == ["2"])
        browser.wait("the graph says it in words", lambda: re.search(r"Messages over the last 5 minutes: in [\d.]", browser.run("return document.querySelector('#msgs-chart svg').getAttribute('aria-label')")))
        browser.click("#depth input[value='2']")
        browser.wait("beginnings of two tokens", lambda: browser.texts("#subjects-table td.c-subject")[:1] == ["orders.berlin.>"])
        before = number(browser.text("#in-msgs"))
        traffic.stop()
        browser.wait(f"traffic ends after {before}", lambda: browser.text("#in-msgs") == "0")
        browser.wait("connections go", lambda: not browser.texts("#connections-table .link"))
        browser.click("#conn-state input[value='closed']")
        browser.wait("and are listed as closed", lambda: "Client Closed" in browser.texts("#connections-table td.c-reason"))


def it_filters_and_sorts_connections(world):
    browser = world.browser
    with world.server() as server:
        clients = [Client(server, f"client-{at:02}", lang="go" if at % 2 else "rust") for at in range(40)]
        for at, client in enumerate(clients):
            for sid in range(at % 7):
                client.subscribe(f"some.{sid}", sid=str(sid + 1))
        browser.open(server.url(), height=3000)
        browser.wait_live()
        browser.wait("the first 25 of 40 are shown", lambda: browser.text("#connections-note") == "25 of 40")
        browser.click("#more")
        browser.wait("all are shown", lambda: len(browser.texts("#connections-table .link")) == 40)
        browser.click("#connections-table th.c-subs button")
        subs = lambda: [int(text) for text in browser.texts("#connections-table td.c-subs")]
        browser.wait("most first", lambda: len(subs()) == 40 and subs() == sorted(subs(), reverse=True) and subs()[0] == 6)
        assert browser.run("return document.querySelector('#connections-table th.c-subs').ariaSort") == "descending"
        browser.click("#connections-table th.c-subs button")
        browser.wait("least first", lambda: subs() == sorted(subs()) and subs()[0] == 0)
        browser.click("#connections-table th.c-name button")
        browser.wait("by name", lambda: browser.texts("#connections-table .link") == [f"client-{at:02}" for at in range(40)])
        browser.find("#filter").send_keys("client-1 go")
        browser.wait("every word matches", lambda: browser.texts("#connections-table .link") == [f"client-{at}" for at in range(11, 20, 2)])
        assert browser.text("#connections-note") == "5 match of 40", browser.text("#connections-note")
        browser.find("#filter").send_keys("zzz")
        browser.wait("nothing matches", lambda: browser.texts("#connections-table .empty") == ["No connection matches the filter."])
        browser.find("#filter").send_keys(Keys.ESCAPE)
        browser.wait("the filter is gone", lambda: len(browser.texts("#connections-table .link")) == 25)
        for client in clients:
            client.close()


def a_filter_finds_what_is_not_loaded(world):
    browser = world.browser
    with world.server() as server, world.stand_in(server, Figures(connections=900)) as stand_in:
        browser.open(stand_in.url(), height=3000)
        browser.wait_live()
        browser.wait("few are loaded", lambda: browser.text("#connections-note") == "25 of 900")
        browser.find("#filter").send_keys("40899")
        browser.wait("one of the last", lambda: [text for text in browser.texts("#connections-table td.c-cid")] == ["899"])
        browser.find("#filter").send_keys(Keys.ESCAPE)
        # The other end of what the server sorts by.
        browser.click("#connections-table th.c-cid button")
        browser.wait("first ones", lambda: browser.texts("#connections-table td.c-cid")[:2] == ["1", "2"])
        browser.click("#connections-table th.c-cid button")
        browser.wait("last ones", lambda: browser.texts("#connections-table td.c-cid")[:2] == ["900", "899"])


def a_connection_opens_with_its_subscriptions(world):
    browser = world.browser
    with world.server() as server:
        client = Client(server, "inventory").subscribe("stock.>", "shelf")
        browser.open(server.url(), height=3000)
        browser.wait_live()
        browser.wait("it is listed", lambda: browser.texts("#connections-table .link") == ["inventory"])
        browser.click("#connections-table .link")
        browser.wait("its subscription is there", lambda: browser.texts("#detail-subs td.c-subject") == ["stock.>"])
        assert browser.texts("#detail-subs td.c-queue") == ["shelf"] and browser.text("#detail-h") == "inventory"
        client.close()
        browser.wait("it says that it has ended", lambda: "Closed: Client Closed" in browser.texts("#detail-note"))
        browser.press(Keys.ESCAPE)
        browser.wait("the dialog closes", lambda: not browser.run("return document.querySelector('#detail').open"))


def who_is_slow_is_named(world):
    browser = world.browser
    with world.server(config="max_pending: 1MB") as server:
        browser.open(server.url(), height=3000)
        browser.wait_live()
        assert browser.texts("#slow-table .empty") == ["Nobody is behind, and nobody was closed for being slow."]
        sleeper = Client(server, "sleeper").subscribe("flood")
        publisher = Client(server, "hose")
        publisher.publish("flood", b"z" * 65536, 400)
        browser.wait("it was closed, and what was lost is told", lambda: any(
            re.search(r"closedsleeper.*Slow Consumer.*[1-9]\d* messages lost", row) for row in browser.texts("#slow-table tbody tr")))
        browser.wait("it is counted", lambda: browser.texts("#vitals dd")[2] == "1")
        sleeper.file.close()
        publisher.close()


def it_survives_a_restart_of_the_server(world):
    browser = world.browser
    with world.server() as server:
        browser.open(server.url(), height=3000)
        traffic = Traffic(server)
        browser.wait_live()
        browser.wait("there is traffic", lambda: (number(browser.text("#in-msgs")) or 0) > 100)
        # Whatever is shown from here on is written down, as the page shows it.
        browser.run("""
            window.shown = [];
            new MutationObserver(() => window.shown.push(document.querySelector('#in-msgs').textContent))
                .observe(document.querySelector('#in-msgs'), { childList: true, characterData: true, subtree: true });""")
        server.kill()
        traffic.stop()
        browser.wait("it says that nobody answers", lambda: browser.text("#state") == "No answer")
        assert browser.texts("#notice-what") == ["The server does not answer."]
        browser.wait("it says when it tries again", lambda: "Next try" in browser.text("#notice-more"))
        if world.shots:
            browser.shot(world.shots / "lost.png", whole=False)
        server.start()
        browser.wait("it is live again, and says so", lambda: re.match(r"Live since \d\d:\d\d:\d\d", browser.text("#state")))
        assert browser.texts("#notice-what") == []
        again = Traffic(server)
        browser.wait("rates go on", lambda: (number(browser.text("#in-msgs")) or 0) > 100)
        browser.wait("the graph shows where", lambda: "restart" in browser.texts("#msgs-chart .marks text"))
        shown = [text for text in browser.run("return window.shown") if text != "–"]
        assert shown and all(0 <= number(text) < 1e6 for text in shown), shown
        again.stop()
        # What the browser itself logs of connections that were refused is no fault of the page.
        logged = [line for line in browser.console() if "net::ERR_" not in line]
        assert not logged, logged


def it_backs_off_and_looks_again_when_asked(world):
    browser = world.browser
    with world.server() as server:
        browser.open(server.url())
        browser.wait_live()
        server.kill()
        browser.wait("several tries have failed", lambda: (found := re.search(r"Next try in (\d+) s", browser.text("#notice-more") or "")) and int(found[1]) >= 4)
        server.start()
        browser.click("#notice-act")
        browser.wait("at once", lambda: browser.text("#state").startswith("Live"))
    browser.console()


def counters_that_fall_make_no_rate(world):
    """A server that begins anew between two answers, without ever being away."""
    browser, figures = world.browser, Figures(cores=2)
    with world.server() as server, world.stand_in(server, figures) as stand_in:
        browser.open(stand_in.url(), height=3000)
        browser.wait_live()
        browser.run("""
            window.shown = [];
            new MutationObserver(() => window.shown.push(document.querySelector('#in-msgs').textContent))
                .observe(document.querySelector('#in-msgs'), { childList: true, characterData: true, subtree: true });""")
        figures.restart()
        browser.wait("it says so", lambda: "Live since" in browser.text("#state"))
        browser.wait("rates come again", lambda: len([text for text in browser.run("return window.shown") if text != "–"]) >= 3)
        shown = browser.run("return window.shown")
        assert "–" in shown and all(0 <= number(text) < 1e6 for text in shown if text != "–"), shown
        assert not browser.texts("#notice-what")


CHOOSE = "const s = document.querySelector('#account'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))"
TWO_ACCOUNTS = """
accounts {
  SHOP { users: [{ user: ann, password: pw }] }
  WAREHOUSE { users: [{ user: bob, password: pw }] }
}"""


def accounts_can_be_chosen(world):
    browser = world.browser
    with world.server(config=TWO_ACCOUNTS) as server:
        shop = Client(server, "in-the-shop", user="ann").subscribe("a", "tills")
        warehouse = Client(server, "in-the-warehouse", user="bob").subscribe("b", "forks")
        browser.open(server.url(), height=3000)
        browser.wait_live()
        options = "return [...document.querySelector('#account').options].map((option) => option.value)"
        browser.wait("accounts are offered", lambda: {"", "SHOP", "WAREHOUSE"} <= set(browser.run(options)))
        browser.wait("both are shown", lambda: sorted(browser.texts("#connections-table td.c-account")) == ["SHOP", "WAREHOUSE"])
        for account, name, group in (("SHOP", "in-the-shop", "tills"), ("WAREHOUSE", "in-the-warehouse", "forks")):
            browser.run(CHOOSE, account)
            browser.wait("one is here", lambda: browser.texts("#connections-table .link") == [name])
            browser.wait("and its group", lambda: browser.texts("#queues-table td.c-queue .first") == [group])
            browser.wait("and its figures", lambda: browser.texts("#vitals dd")[:2] == ["1", "1"])
        browser.run(CHOOSE, "$SYS")
        browser.wait("nobody is there", lambda: browser.texts("#connections-table .empty") == ["No connection is open."])
        shop.close()
        warehouse.close()
        assert browser.console() == []


def an_account_has_figures_of_its_own(world):
    browser = world.browser
    with world.server() as server, world.stand_in(server) as stand_in:
        browser.open(stand_in.url(), height=3000)
        browser.wait_live()
        browser.wait("columns of accounts", lambda: set(browser.texts("#connections-table td.c-account")) == {"$G", "SHOP", "WAREHOUSE"})
        browser.run(CHOOSE, "SHOP")
        browser.wait("its connections, counted", lambda: browser.text("#connections-note") == "20 open")
        browser.wait("its subjects", lambda: 0 < len(browser.texts("#subjects-table td.c-subject")) < 10)
        browser.wait("its group", lambda: browser.texts("#queues-table td.c-queue .first") == ["scoring"])
        browser.wait("its rate", lambda: 500 < (number(browser.text("#in-msgs")) or 0) < 1500)
        browser.wait("its vitals", lambda: browser.texts("#vitals dd")[:2] == ["40", "154"])
        assert not browser.texts("#connections-table td.c-account")
        browser.run(CHOOSE, "")
        browser.wait("all again", lambda: (number(browser.text("#in-msgs")) or 0) > 50_000)
        assert len(ACCOUNTS) + 1 == browser.run("return document.querySelector('#account').options.length")


def names_that_mean_harm_are_only_text(world):
    browser = world.browser
    with world.server() as server:
        status, headers, _ = fetch(server.url())
        policy = headers["Content-Security-Policy"]
        assert status == 200 and headers["X-Content-Type-Options"] == "nosniff"
        parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert parts["default-src"] == "'none'" and "unsafe" not in policy and "*" not in policy, policy
        assert parts["frame-ancestors"] == parts["base-uri"] == parts["form-action"] == "'none'", policy
        assert re.fullmatch(r"'sha256-[\w+/=]{44}'", parts["script-src"]) and re.fullmatch(r"'sha256-[\w+/=]{44}'", parts["style-src"]), policy
        client = Client(server, HOSTILE, lang=HOSTILE, version="<b>1</b>").subscribe("<svg/onload=window.hit=1>.*", "<i>queue</i>")
        client.publish("<svg/onload=window.hit=1>.<u>u</u>", count=5000)
        browser.open(server.url(), height=3000)
        browser.wait_live()
        browser.wait("its name is text", lambda: browser.texts("#connections-table .link") == [HOSTILE])
        browser.wait("its subject is", lambda: browser.texts("#subjects-table td.c-subject") == ["<svg/onload=window.hit=1>.<u>u</u>"])
        browser.wait("its queue is", lambda: browser.texts("#queues-table td.c-queue .first") == ["<i>queue</i>"])
        browser.click("#connections-table .link")
        browser.wait("in its details too", lambda: browser.texts("#detail-subs td.c-queue") == ["<i>queue</i>"])
        assert browser.run("return document.querySelectorAll('main img, main script, main u, dialog i, dialog img, dialog script').length") == 0
        assert browser.run("return window.hit ?? null") is None
        assert browser.console() == []
        # Even if somebody forgot: the policy refuses what would make elements of text, and what would run.
        refused = browser.run("""
            const tries = [() => { document.body.innerHTML += '<b>'; }, () => document.write('x'), () => document.body.insertAdjacentHTML('beforeend', '<b>')];
            return tries.map((attempt) => { try { attempt(); return 'done'; } catch (error) { return error.name; } });""")
        assert refused == ["TypeError"] * 3, refused
        browser.run("""
            try { document.body.setAttribute('onclick', 'window.hit = 1'); } catch { return; }
            document.body.click();""")
        assert browser.run("return window.hit ?? null") is None
    with world.server() as server, world.stand_in(server) as stand_in:
        browser.open(stand_in.url(), height=3000)
        browser.wait_live()
        browser.wait("what cannot be seen is marked", lambda: any("abc\ufffdgnp.exe\ufffd\ufffd" == text for text in browser.texts("#connections-table .link")))
        browser.wait("slow ones too", lambda: HOSTILE in browser.texts("#slow-table .link"))
        assert browser.run("return window.hit ?? null") is None and browser.console() == []


def it_goes_on_where_pages_want_a_login(world):
    browser = world.browser
    login = "dunlin { monitoring { user: ann, password: pw } }"
    with world.server(config=login) as server:
        assert fetch(server.url())[0] == 401 and fetch(server.url(), "ann:pw")[0] == 200
        browser.open(server.url().replace("//", "//ann:pw@"))
        browser.wait_live()
        assert browser.console() == []
        # Other words from now on: the page says so, and asks no more.
        server.kill()
        server.config = login.replace("pw", "other")
        server.start()
        browser.wait("it says that a login is needed", lambda: browser.text("#state") == "Login needed")
        assert browser.texts("#notice-act") == ["Load the page again"]
    browser.driver.get("about:blank")
    browser.console()


def it_stays_below_its_path(world):
    browser = world.browser
    with Dunlin(world.program, (), config="http_base_path: /nats/one") as server:
        assert fetch(server.url())[0] == 404
        browser.open(server.url("/nats/one/dashboard"), height=3000)
        browser.wait_live()
        browser.wait("each panel is there", lambda: "Not shown" not in browser.text("main") and len(browser.texts("#lanes > li")) >= 1)
        links = browser.run("return [...document.querySelectorAll('footer a')].map((a) => a.pathname)")
        assert links and all(link.startswith("/nats/one/") for link in links), links
        for link in links:
            assert fetch(server.url(link))[0] == 200, link
        assert browser.console() == []


def one_page_that_fails_leaves_the_others(world):
    browser, figures = world.browser, Figures(cores=2)
    pages = figures.pages()
    del pages["subjectz"]
    pages["queuez"] = lambda _: {"surprise": True}
    with world.server() as server, StandIn(server, pages) as stand_in:
        browser.open(stand_in.url(), height=3000)
        browser.wait_live()
        browser.wait("it says which", lambda: browser.text("#subjects-note") == "Not shown: 404 page not found")
        browser.wait("and this", lambda: browser.text("#queues-note") == "Not shown: what came could not be read")
        browser.wait("others go on", lambda: len(browser.texts("#lanes > li")) == 2 and browser.texts("#connections-table .link"))
        assert browser.text("#state") == "Live"
    browser.driver.get("about:blank")
    browser.console()


def nobody_is_asked_while_nobody_looks(world):
    browser, figures = world.browser, Figures(cores=2)
    with world.server() as server, world.stand_in(server, figures) as stand_in:
        browser.open(stand_in.url(), width=390, height=600)
        browser.wait_live()
        asked = lambda name: sum(f"/{name}" in path for path in stand_in.asked)
        begin = asked("varz")
        browser.wait("turns go by", lambda: asked("varz") >= begin + 5)
        assert asked("connz") <= 2, stand_in.asked
        browser.find("body").send_keys("6")
        browser.wait("what comes into view is asked for", lambda: asked("connz") >= 3)
        browser.press("p")
        browser.wait("it pauses", lambda: browser.text("#state") == "Paused")
        # A turn that was under way may still have come.
        browser.driver.execute_async_script("setTimeout(arguments[0], 1500)")
        count = len(stand_in.asked)
        browser.driver.execute_async_script("setTimeout(arguments[0], 2500)")
        assert len(stand_in.asked) == count, stand_in.asked[count:]
        browser.press("p")
        browser.wait("it goes on", lambda: len(stand_in.asked) > count and browser.text("#state") == "Live")


SCENARIOS = [
    it_draws_and_follows_the_traffic, it_filters_and_sorts_connections, a_filter_finds_what_is_not_loaded, a_connection_opens_with_its_subscriptions,
    who_is_slow_is_named, it_survives_a_restart_of_the_server, it_backs_off_and_looks_again_when_asked, counters_that_fall_make_no_rate, accounts_can_be_chosen, an_account_has_figures_of_its_own,
    names_that_mean_harm_are_only_text, it_goes_on_where_pages_want_a_login, it_stays_below_its_path, one_page_that_fails_leaves_the_others,
    nobody_is_asked_while_nobody_looks, *reading.SCENARIOS,
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("--shots", type=pathlib.Path, help="where to put pictures of the page")
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    given = parser.parse_args()
    world, failed, played = World(given.server, given.shots), 0, 0
    for scenario in [scenario for scenario in SCENARIOS if given.only in scenario.__name__]:
        begin, played = time.monotonic(), played + 1
        try:
            scenario(world)
            print(f"ok     {scenario.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {scenario.__name__}\n{traceback.format_exc()}", flush=True)
            if given.shots:
                world.browser.shot(given.shots / f"failed-{scenario.__name__}.png", whole=False)
            world.browser.driver.get("about:blank")
            world.browser.console()
    world.browser.close()
    print(f"{played - failed} passed, {failed} failed")
    return 1 if failed or not played else 0


if __name__ == "__main__":
    sys.exit(main())
