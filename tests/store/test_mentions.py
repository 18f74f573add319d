from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.model import Label, MentionId, MonitorId, Removal, SourceId, Verdict
from brandmelder.store import mentions, series
from brandmelder.store.series import Entry
from store.conftest import NOON


def _verdict(p_negative=0.9):
    return Verdict(
        p_negative=p_negative,
        p_neutral=1 - p_negative,
        p_positive=0.0,
        label=Label.NEGATIVE,
        unsure=False,
        language="de",
        classifier="test",
        model_version="1",
        reasons=(("wartet", 0.5),),
    )


def test_a_mention_comes_back_as_it_was_stored(database, mention):
    one = mention(
        "7", "Grüße 🙃", url="https://blog.example/#7", author="a1", reach=12, parent_id="6", own=True, language="de",
        context="Unser neuer Leiter", flags=("weak_id", "no_date"), history=True,
    )  # fmt: skip
    database.run_now(mentions.insert_mentions, [one], ["f"])
    assert database.run_now(mentions.to_judge, 10) == [(MentionId(1), one, False)]


def test_a_repeat_is_stored_once(database, mention):
    assert database.run_now(mentions.insert_mentions, [mention()], ["f"]).new == 1
    stored = database.run_now(mentions.insert_mentions, [mention(), mention("2")], ["f", "g"])
    assert (stored.new, stored.edited, stored.repeated) == (1, 0, 1)
    assert database.run_now(mentions.count) == 2


def test_the_same_id_in_another_source_is_another_mention(database, mention):
    database.run_now(mentions.insert_mentions, [mention(), mention(source="press")], ["f", "f"])
    assert database.run_now(mentions.count) == 2


def test_an_edit_keeps_identity_and_event_time_and_is_judged_again(database, mention):
    database.run_now(mentions.insert_mentions, [mention()], ["f"])
    database.run_now(mentions.save_verdicts, {MentionId(1): _verdict()})
    database.run_now(mentions.mark_judged, [MentionId(1)])
    assert database.run_now(mentions.to_judge, 10) == []
    stored = database.run_now(mentions.insert_mentions, [mention(text="Alles gut", minutes=30)], ["g"])
    assert stored.edited == 1
    ((ident, one, again),) = database.run_now(mentions.to_judge, 10)
    assert (ident, one.text, one.published_at, again) == (1, "Alles gut", NOON, True)


def test_a_repeat_within_one_batch_is_no_trouble(database, mention):
    stored = database.run_now(mentions.insert_mentions, [mention(), mention(text="anders")], ["f", "g"])
    assert (stored.new, stored.edited) == (1, 1)
    assert database.run_now(mentions.to_judge, 10)[0][1].text == "anders"


def test_a_removal_takes_text_and_author_and_leaves_the_mention(database, mention):
    database.run_now(mentions.insert_mentions, [mention(author="a1")], ["f"])
    removal = Removal(source=SourceId("blog"), external_id="1", reason="gone")
    assert database.run_now(mentions.remove_mentions, [removal], NOON) == [1]
    assert database.run_now(mentions.remove_mentions, [removal], NOON) == []
    assert database.run_now(mentions.count) == 1
    assert database.run_now(mentions.texts_of, [MentionId(1)]) == {}
    assert database.run_now(mentions.to_judge, 10) == []


def test_what_was_removed_and_comes_back_is_shown_again(database, mention):
    database.run_now(mentions.insert_mentions, [mention()], ["f"])
    database.run_now(mentions.remove_mentions, [Removal(source=SourceId("blog"), external_id="1", reason="hold")], NOON)
    database.run_now(mentions.insert_mentions, [mention()], ["f"])
    assert database.run_now(mentions.texts_of, [MentionId(1)])[MentionId(1)].text == "Nordfunk antwortet nicht"


def test_own_answers_are_found_by_what_they_answer(database, mention):
    database.run_now(
        mentions.insert_mentions,
        [
            mention("1"),
            mention("2", parent_id="1", own=True),
            mention("3", parent_id="1"),
            mention("4", parent_id="9", own=True),
        ],
        list("abcd"),
    )
    assert [one.external_id for one in database.run_now(mentions.responses_to, "blog", ["1"])] == ["2"]


def test_judged_mentions_of_a_monitor_come_newest_first(database, mention):
    database.run_now(mentions.insert_mentions, [mention(str(n), minutes=n) for n in range(5)], list("abcde"))
    database.run_now(mentions.save_verdicts, {MentionId(n): _verdict(n / 10) for n in range(1, 6)})
    entries = [
        Entry(
            monitor=MonitorId("m"), mention=MentionId(n), source=SourceId("blog"), history=False, reach=0.0,
            published_at=NOON + timedelta(minutes=n - 1), total=1.0, negative=n / 10, labelled=1,
        )
        for n in range(1, 5)
    ]  # fmt: skip
    database.run_now(series.enter, entries)
    found = database.run_now(mentions.judged_between, "m", NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    assert [(ident, verdict.p_negative) for ident, _, verdict in found] == [(3, 0.3), (2, 0.2)]
    assert found[0][2].reasons == (("wartet", 0.5),)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), max_size=20), max_size=6))
def test_whatever_the_order_of_repeats_each_mention_is_stored_once_with_its_last_text(batches):
    from brandmelder.model import Mention
    from brandmelder.store.database import Database

    database = Database("sqlite://")
    database.prepare()
    last = {}
    for batch in batches:
        found = [
            Mention(source=SourceId("s"), external_id=str(n), text=f"v{v}", published_at=NOON, captured_at=NOON)
            for n, v in batch
        ]
        database.run_now(mentions.insert_mentions, found, [one.text for one in found])
        last |= {str(n): f"v{v}" for n, v in batch}
    stored = {one.external_id: one.text for _, one, _ in database.run_now(mentions.to_judge, 1000)}
    database.close()
    assert stored == last


@pytest.mark.parametrize("text", ["", "\x00", "a" * 100_000, "'; DROP TABLE mention; --", "🙃\u202e"])
def test_any_text_is_kept_byte_for_byte(database, mention, text):
    database.run_now(mentions.insert_mentions, [mention(text=text)], ["f"])
    assert database.run_now(mentions.to_judge, 1)[0][1].text == text


def test_what_waits_for_judgement_is_found_by_its_index_however_much_was_judged(database):
    plan = database.run_now(
        lambda connection: [
            row[-1]
            for row in connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN " + str(mentions.TO_JUDGE.compile(connection.engine)), (1, 0)
            )
        ]
    )
    assert plan[0] == "SCAN mention USING INDEX mention_to_judge"
