"""The demo as people see it: one alert, its news, its end, and a closing line that is true."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import timedelta

import pytest
from rich.console import Console

from brandmelder.clock import PacedClock
from brandmelder.demo import scenario
from brandmelder.demo.play import Play


async def shown(*, language: str, seed: int = 1) -> str:
    file = io.StringIO()
    await Play(Console(file=file, width=200, highlight=False), language=language, seed=seed).run(
        is_paced=False, keep=False
    )
    return file.getvalue()


@pytest.fixture(scope="module")
def evening() -> str:
    return asyncio.run(shown(language="de"))


def test_the_demo_shows_one_alert_its_news_and_its_end(evening):
    headlines = re.findall(r"^(?:🔴|🟡|🟢) .*", evening, flags=re.MULTILINE)
    assert re.fullmatch(r"🔴 Nordfunk – Negative Erwähnungen: \d+ in \d+ min, (üblich 0–\d|sonst keine)", headlines[0])
    assert all(re.match(r"(?:🔴|🟡) Nordfunk – \d+ in", line) for line in headlines[1:-1])
    assert re.fullmatch(r"🟢 Beendet: Nordfunk – Spitze \d+ in \d+ min, zusammen \d+", headlines[-1])
    assert set(re.findall(r"NF-\d{4}-\d{3}", evening)) == {"NF-2026-001"}


def test_the_alert_says_what_it_is_about(evening):
    assert re.search(r"^Neu im Vergleich zu sonst .*„TV-Spot“ \d+×", evening, flags=re.MULTILINE)
    assert "Es ging vor allem um „TV-Spot“." in evening
    assert "beide Quellen gelesen bis" in evening


def test_somebody_takes_it_and_the_end_says_how_fast(evening):
    found = re.search(r"^(\d\d:\d\d) Kim Brandt acknowledges NF-2026-001\.$", evening, flags=re.MULTILINE)
    assert found
    before, after = evening[: found.start()], evening[found.end() :]
    assert "🟡" not in before
    assert "🔴" not in after
    assert re.search(r"Übernommen nach [78] min", after)


def test_the_closing_line_is_true(evening):
    closing = evening.splitlines()[-1]
    found = re.fullmatch(
        r"Onset 19:58, alert (\d\d:\d\d) \((\d+) min later\), end \d\d:\d\d; (\d+) posts read, (\d+) deliveries\.",
        closing,
    )
    assert found, closing
    assert int(found[2]) <= 8
    assert f"NF-2026-001, {found[1]}" in evening
    assert int(found[3]) <= len(scenario.build().events)
    assert int(found[4]) == len(re.findall(r"^(?:🔴|🟡|🟢) ", evening, flags=re.MULTILINE))


async def test_another_language_and_another_storm():
    text = await shown(language="en", seed=2)
    assert re.search(r"^🔴 Nordfunk – Negative mentions: \d+ in \d+ min", text, flags=re.MULTILINE)
    assert "🟢 Ended: Nordfunk" in text


async def test_time_spent_on_work_is_not_waited_for_again():
    clock = PacedClock(scenario.START, speed=3600.0)
    await clock.reach(scenario.START + timedelta(seconds=1))
    clock._reached -= 60  # a minute of work: worth sixty hours of the story
    await clock.reach(scenario.START + timedelta(hours=50))
    assert clock.now() == scenario.START + timedelta(hours=50)
