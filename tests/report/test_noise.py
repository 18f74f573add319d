"""What makes too much noise: what is counted, what is advised, and that nobody of the staff is measured."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import Act, State
from brandmelder.notify.voice import Voice, words_of
from brandmelder.report.markdown import markdown
from brandmelder.report.noise import Advice, Alarm, Heard, Noise, advice, noise_report
from notify.stories import ALARM, BERLIN, ENDED, MINUTE
from report.accounts import step

SPAN = timedelta(days=28)
OPENED = step(1, Act.OPEN, ALARM)
TAKEN = step(2, Act.ACKNOWLEDGE, ALARM + 8 * MINUTE, by="Anna")


def real(*, taken=True):
    steps = (OPENED, TAKEN) if taken else (OPENED,)
    known = {} if taken else {"acknowledged_by": None, "acknowledged_at": None}
    return Alarm(incident=replace(ENDED, **known), timeline=steps)


def false(reason):
    steps = (OPENED, step(2, Act.DISMISS, ALARM + 4 * MINUTE, by="Anna", note=f"{reason}: siehe Wiki"))
    ended = replace(ENDED, state=State.DISMISSED, label=reason, acknowledged_by=None, acknowledged_at=None)
    return Alarm(incident=ended, timeline=steps)


def heard(*alarms, budget=1 / 30, title="Nordfunk"):
    return Heard(title=title, budget=budget, alarms=alarms)


@pytest.mark.parametrize(
    ("alarms", "advised"),
    [
        ((), (Advice.NOTHING,)),
        ((real(), real()), (Advice.UNKNOWN,)),
        ((real(), real(), real()), (Advice.NOTHING,)),
        ((false("own_campaign"),) * 3, (Advice.CALENDAR, Advice.BUDGET)),
        ((false("wrong_brand"), false("sports_result"), real()), (Advice.QUERY,)),
        ((false("sarcasm"), false("sarcasm"), real(), real()), (Advice.LABELS,)),
        ((false("other"),) * 4, (Advice.BUDGET,)),
        ((real(taken=False), real(taken=False), real()), (Advice.ROUTING,)),
    ],
)
def test_what_would_help_follows_from_what_happened(alarms, advised):
    assert advice(heard(*alarms), SPAN) == advised


def test_a_generous_budget_is_no_reason_to_be_less_sensitive():
    assert Advice.BUDGET not in advice(heard(*[false("other")] * 4, budget=1.0), SPAN)


def test_a_dismissal_counts_as_somebody_who_looked():
    assert heard(false("bots")).untaken == 0


def told(*monitors, language="de"):
    noise = Noise(brand="Nordfunk", since=ALARM - SPAN, until=ALARM, heard=monitors)
    return markdown(noise_report(noise, Voice(words_of(language), BERLIN, ALARM), version="0.1.0"))


def test_the_loudest_monitor_comes_first_and_nobody_is_named():
    text = told(heard(real(), title="Leise"), heard(*[false("bots")] * 4, real(taken=False), title="Laut"))
    rows = [line for line in text.splitlines() if line.startswith(("| Laut", "| Leise"))]
    assert rows == ["| Laut | 5 | **4** | 0,9 | **1** | 1 |", "| Leise | 1 | 0 | 0,9 | 0 | 0 |"]
    assert "Anna" not in text
    assert "- **Laut**: Weniger empfindlich einstellen" in text
    assert "| Bots | 4 | 4 von 4 |" in text
    assert "## Alarme, die niemand übernahm" in text
    assert "Di 17. November 2026 bis Di 15. Dezember 2026, 4 Wochen" in text


def test_a_time_without_alerts_is_said_to_be_one():
    assert "No alert in this time." in told(heard(), language="en")
