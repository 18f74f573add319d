"""Every page in a real Chromium, on phone and desktop, in both languages: no error, no violation, nothing that runs."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading

import pytest

from brandmelder.store import members
from brandmelder.web import live
from brandmelder.web.app import app
from brandmelder.web.serve import PageServer
from web.filled import FILLED, fill
from web.hostile import hostile_evening, payloads
from web.house import INCIDENT, PASSWORD, House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = (
    "/",
    "/wall",
    "/incidents",
    f"/incidents/{INCIDENT}",
    f"/incidents/{INCIDENT}?range=8w&stance=all",
    "/monitors",
    "/monitors/nordfunk?q=nordfunk",
    "/sources",
    "/mentions",
    "/accounts",
    "/deliveries",
    "/settings",
    "/audit",
    "/me",
    "/nothing",
)
SQUEEZED = """[...document.querySelectorAll("td, th, dt, dd, p, li")].filter(one =>
    one.offsetWidth > 1 && one.offsetWidth < 24 && one.innerText.trim().length > 3).map(one => one.innerText)"""
"""What stands in a column of single letters."""
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


class Served:
    """A house whose page is served by a real server, in a thread of its own."""

    def __init__(self, house) -> None:
        self.house = house
        self.server = PageServer(app(house.site), "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self.server.port}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self.server.run())
        with_cancel = asyncio.gather(self._task, return_exceptions=True)
        self._loop.run_until_complete(with_cancel)
        self._loop.close()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: apt install chromium")
        pytest.skip("needs Chromium: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(evening, tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "brandmelder.db"
    for name in ("", "-wal", "-shm", ".key"):
        if evening.with_name(evening.name + name).exists():
            shutil.copy(evening.with_name(evening.name + name), f"{path}{name}")
    with House(path, yaml=FILLED) as house, Served(house) as found:
        house.database.run_now(fill, house)
        house.site.rates.allows = lambda *_, **__: True
        yield found


class Visit:
    """One browser window, in which an admin is signed in; remembers everything that went wrong."""

    def __init__(self, chromium, served, *, size="desktop", language="de", scheme="light") -> None:
        width, height = SIZES[size]
        self.troubles: list[str] = []
        self.served = served
        self.context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme=scheme,
            has_touch=size == "phone",
        )
        self.page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)

    def _said(self, message) -> None:
        if message.type in {"error", "warning"} and "404" not in message.text:
            self.troubles.append(f"{message.type}: {message.text}")

    def _dialog(self, dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def sign_in(self, name="adam") -> None:
        self.page.goto(f"{self.served.address}/sign-in")
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url(f"{self.served.address}/")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


@pytest.mark.parametrize(
    ("size", "language", "scheme"),
    [("phone", "de", "light"), ("phone", "en", "dark"), ("desktop", "de", "dark"), ("desktop", "en", "light")],
)
def test_every_page_is_sound_for_eyes_keys_and_screen_readers(chromium, served, size, language, scheme):
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    with Visit(chromium, served, size=size, language=language, scheme=scheme) as visit:
        visit.sign_in()
        serious = []
        for path in PAGES:
            visit.page.goto(f"{served.address}{path}")
            assert visit.page.get_attribute("html", "lang") == language
            wide, view = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide <= view or path == "/wall", f"{path} scrolls sideways on the {size}"
            assert visit.page.evaluate(SQUEEZED) == [], f"{path} squeezes words on the {size}"
            serious += [
                (path, finding["id"], [node["target"] for node in finding["nodes"][:3]])
                for finding in axe.run(visit.page).response["violations"]
                if finding["impact"] in {"serious", "critical"}
            ]
        assert serious == []
        assert visit.troubles == []


WIDE_LETTERS = "document.body.style.letterSpacing = '.055em'"
"""About what a face 15 % wider does to the lines."""


def test_nothing_is_lost_on_the_smallest_screen_with_wide_letters(chromium, served):
    with Visit(chromium, served, size="phone") as visit:
        visit.sign_in()
        visit.page.set_viewport_size({"width": 320, "height": 640})
        for path in ("/", f"/incidents/{INCIDENT}", "/sources", "/accounts", "/deliveries", "/audit", "/me"):
            visit.page.goto(f"{served.address}{path}")
            visit.page.evaluate(WIDE_LETTERS)
            wide = visit.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 320, f"{path} scrolls sideways"
            assert visit.page.evaluate(SQUEEZED) == [], f"{path} squeezes words"


def test_paper_is_light_and_bears_no_buttons(chromium, served):
    with Visit(chromium, served, scheme="dark") as visit:
        visit.sign_in()
        visit.page.goto(f"{served.address}/incidents/{INCIDENT}")
        visit.page.emulate_media(media="print")
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        seen = "[...document.querySelectorAll('button, select, textarea, nav')].filter(one => one.checkVisibility())"
        assert visit.page.evaluate(f"{seen}.length") == 0
        assert visit.page.is_visible(".figure strong")
        assert visit.page.is_visible(".steps")


def test_without_colours_of_ours_the_open_incident_still_stands_out(chromium, served):
    with Visit(chromium, served) as visit:
        visit.sign_in()
        visit.page.emulate_media(forced_colors="active")
        visit.page.goto(f"{served.address}/incidents/{INCIDENT}")
        of = "one => getComputedStyle(document.querySelector(one)).backgroundColor"
        assert visit.page.evaluate(of, ".button.primary") != visit.page.evaluate(of, "body")
        assert visit.page.evaluate(of, ".chip") == visit.page.evaluate(of, ".button.primary")


def test_the_keyboard_goes_through_the_page_in_order_and_is_seen(chromium, served):
    with Visit(chromium, served) as visit:
        visit.sign_in()
        visit.page.goto(f"{served.address}/")
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        places = []
        for _ in range(12):
            visit.page.keyboard.press("Tab")
            box = "document.activeElement.getBoundingClientRect()"
            places.append(visit.page.evaluate(f"[Math.round({box}.top / 60), Math.round({box}.left)]"))
            width = "getComputedStyle(document.activeElement).outlineWidth"
            assert visit.page.evaluate(width) == "3px"
        assert places == sorted(places)


def test_the_keyboard_reaches_the_buttons_of_an_incident_at_once(chromium, served):
    with Visit(chromium, served) as visit:
        visit.sign_in("anna")
        visit.page.goto(f"{served.address}/incidents/{INCIDENT}")
        for key in ("Tab", "Tab", "Enter", "Tab"):
            visit.page.keyboard.press(key)
        assert visit.page.evaluate("document.activeElement.closest('.actions') !== null")
        assert visit.page.evaluate("document.activeElement.matches('button, summary')")


def test_the_values_of_the_picture_are_told_by_pointer_and_keys(chromium, served):
    with Visit(chromium, served) as visit:
        visit.sign_in()
        visit.page.goto(f"{served.address}/incidents/{INCIDENT}")
        line = visit.page.locator("[data-value]")
        visit.page.wait_for_selector("[data-is-live]:not([hidden])")
        still = line.inner_text()
        assert still == "Negative je 20 min, Stand 20:47, live"
        rows = [
            f"{when}: {count}, {usual}"
            for when, count, usual in visit.page.eval_on_selector_all(
                ".values tbody tr", "rows => rows.map(row => [...row.children].map(cell => cell.textContent))"
            )
        ]
        assert len(rows) == 18
        box = visit.page.locator(".drawn").bounding_box()
        visit.page.mouse.move(box["x"] + box["width"] * 16.5 / 18, box["y"] + 100)
        assert line.inner_text() == rows[16]
        visit.page.mouse.move(0, 0)
        assert line.inner_text() == still
        visit.page.locator(".drawn").focus()
        visit.page.keyboard.press("End")
        assert line.inner_text() == rows[17]
        visit.page.keyboard.press("ArrowLeft")
        assert line.inner_text() == rows[16]
        assert visit.troubles == []


def test_what_somebody_else_does_is_seen_without_loading_anew(chromium, served):
    with Visit(chromium, served) as seeing, Visit(chromium, served) as acting:
        seeing.sign_in("vera")
        seeing.page.goto(f"{served.address}/incidents/{INCIDENT}")
        seeing.page.wait_for_selector("[data-is-live]:not([hidden])")
        acting.sign_in("anna")
        acting.page.goto(f"{served.address}/incidents/{INCIDENT}")
        acting.page.click("button[value=acknowledge]")
        seeing.page.wait_for_selector(".chip.acknowledged", timeout=10_000)
        assert "von Anna Petersen" in seeing.page.inner_text(".state")
        acting.page.click("summary:has-text('Übergeben')")
        acting.page.fill("input[name=to]", "Jonas Brandt")
        acting.page.click("button[value=hand_over]")
        seeing.page.locator(".state", has_text="von Jonas Brandt").wait_for(timeout=10_000)
        assert seeing.troubles + acting.troubles == []


def test_of_five_thousand_hostile_texts_none_runs(chromium, evening, tmp_path):
    path = tmp_path / "hostile.db"
    for name in ("", "-wal", "-shm", ".key"):
        if evening.with_name(evening.name + name).exists():
            shutil.copy(evening.with_name(evening.name + name), f"{path}{name}")
    with House(path) as house:
        count = hostile_evening(house, payloads(5_000))
        house.site.rates.allows = lambda *_, **__: True
        with Served(house) as served, Visit(chromium, served) as visit:
            visit.sign_in()
            shown, more = 0, "/mentions?most=200"
            while more:
                visit.page.goto(f"{served.address}{more}")
                shown += visit.page.locator(".card .clamp").count()
                link = visit.page.locator("p.after a")
                more = f"/mentions{link.get_attribute('href')}" if link.count() else ""
            assert shown >= count
            for place in (f"/incidents/{INCIDENT}?most=400&stance=all", "/", "/wall", "/incidents", "/audit"):
                visit.page.goto(f"{served.address}{place}")
            for text in payloads(5_000)[::250]:
                visit.page.goto(f"{served.address}/mentions?q=" + "".join(f"%{byte:02x}" for byte in text.encode()))
            assert visit.page.evaluate("window.hit") is None
            assert visit.troubles == []


def test_a_page_whose_session_ended_lives_no_more_and_keeps_what_was_being_typed(chromium, served, monkeypatch):
    monkeypatch.setattr(live, "BEAT", 0.3)
    place = f"{served.address}/incidents/{INCIDENT}"
    for typed in ("", "Wir haben mit der Technik gesprochen."):
        with Visit(chromium, served) as visit:
            visit.sign_in("anna")
            visit.page.goto(place)
            visit.page.wait_for_selector("[data-is-live]:not([hidden])")
            visit.page.fill("textarea", typed)
            served.house.database.run_now(members.end_all, "anna")
            if not typed:
                visit.page.wait_for_url(f"{served.address}/sign-in?next=*")
                continue
            visit.page.wait_for_selector("#over:not([hidden])")
            assert visit.page.input_value("textarea") == typed
            assert not visit.page.is_visible(".figure strong")
            visit.page.click("form[action$=notes] button")
            visit.page.wait_for_url(f"{served.address}/sign-in?late=1**")
            assert "Es ist nichts geschehen" in visit.page.inner_text("main")
            assert visit.troubles == []


def test_the_menu_of_a_phone_is_seen_whole(chromium, served):
    for width, language in ((390, "de"), (320, "de"), (390, "en")):
        with Visit(chromium, served, size="phone", language=language) as visit:
            visit.sign_in()
            visit.page.set_viewport_size({"width": width, "height": 844})
            for opener in (".phone-menu > summary", ".person summary"):
                visit.page.click(opener)
                box = visit.page.locator("details[open] > .sheet").bounding_box()
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
                visit.page.keyboard.press("Escape")


HIDDEN = """hidden => {
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_tab_that_nobody_sees_lets_go_of_its_line_and_takes_it_up_again(chromium, served):
    pulse = served.house.site.pulse

    def watching(visit):
        """Return how many watch the incident, once the browser's news have reached the server."""
        visit.page.evaluate("fetch('/static/icon.svg').then(answer => answer.text())")
        return len(pulse.viewers.get(f"incident:{INCIDENT}", ()))

    with Visit(chromium, served) as visit:
        visit.sign_in("vera")
        visit.page.clock.install()
        visit.page.goto(f"{served.address}/incidents/{INCIDENT}")
        visit.page.wait_for_selector("[data-is-live]:not([hidden])")
        before = watching(visit)
        visit.page.evaluate(HIDDEN, True)
        visit.page.clock.fast_forward(6000)
        assert any(watching(visit) == before - 1 for _ in range(100))
        visit.page.evaluate(HIDDEN, False)
        visit.page.clock.fast_forward(1000)
        assert any(watching(visit) == before for _ in range(100))
        assert visit.troubles == []


def test_a_page_finds_back_after_the_service_was_away_behind_a_proxy(chromium, served):
    with Visit(chromium, served) as visit:
        visit.sign_in("vera")
        visit.page.route("**/live*", lambda route: route.fulfill(status=502, body="bad gateway"), times=1)
        visit.page.goto(f"{served.address}/incidents/{INCIDENT}")
        visit.page.wait_for_selector("[data-is-live]:not([hidden])", timeout=20_000)
        assert [one for one in visit.troubles if "502" not in one and "EventSource" not in one] == []
