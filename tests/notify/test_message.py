"""How an incident is told: numbers, times, limits and buttons."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.incident.skala import Community, Media
from brandmelder.model import (
    Act,
    Course,
    DeliveryKind,
    Evidence,
    MentionId,
    Occasion,
    SourceId,
    SourceState,
    SpikeKind,
    State,
)
from brandmelder.notify.compose import EMOJI, Case, plain_text, rule_words, sparkline
from brandmelder.notify.excerpt import excerpt, safe_url
from brandmelder.notify.news import first_told
from brandmelder.notify.voice import Voice, words_of
from notify.stories import (
    ACKNOWLEDGED,
    ALARM,
    BERLIN,
    ENDED,
    ENDED_EVIDENCE,
    EVIDENCE,
    HOUR,
    INCIDENT,
    MINUTE,
    SIGHT,
    changed,
    sight,
    step,
    told,
)

DE = Voice(words_of("de"), BERLIN, ALARM)
EN = Voice(words_of("en-GB"), BERLIN, ALARM)


def said(spans):
    return "".join(span.text for span in spans)


def line(message, label):
    return next((said(one.spans) for one in message.lines if one.label == label), None)


# ---------------------------------------------------------------- numbers


def test_numbers_are_grouped_as_the_language_does():
    assert DE.number(10_000) == "10.000"
    assert EN.number(1_234_567) == "1,234,567"


@pytest.mark.parametrize(
    ("share", "whole", "german", "english"),
    [
        (0.09, 100, "9\u00a0%", "9%"),
        (0.4, 15, "6 von 15", "6 of 15"),
        (0.004, 1000, "1\u00a0%", "1%"),
        (0.997, 1000, "99\u00a0%", "99%"),
        (1.0, 20, "100\u00a0%", "100%"),
        (0.0, 50, "0\u00a0%", "0%"),
    ],
)
def test_there_are_no_percentages_of_fewer_than_twenty(share, whole, german, english):
    assert DE.share(share, whole) == german
    assert EN.share(share, whole) == english


@pytest.mark.parametrize(
    ("minutes", "german", "english"),
    [
        (0, "0 min", "0 min"),
        (119, "119 min", "119 min"),
        (120, "2 Std.", "2 h"),
        (191, "3 Std. 11 min", "3 h 11 min"),
        (9 * 60 + 40, "10 Std.", "10 h"),
        (47 * 60, "47 Std.", "47 h"),
        (72 * 60, "3 Tagen", "3 days"),
    ],
)
def test_durations_are_minutes_below_two_hours(minutes, german, english):
    assert DE.duration(timedelta(minutes=minutes)) == german
    assert EN.duration(timedelta(minutes=minutes)) == english


@pytest.mark.parametrize(
    ("time", "text"),
    [(14 * HOUR, "14 Std."), (24 * HOUR, "1 Tag"), (timedelta(days=9), "9 Tagen"), (timedelta(weeks=8), "8 Wochen")],
)
def test_long_stretches_are_said_roughly(time, text):
    assert DE.span(time) == text


def test_a_moment_of_another_day_has_its_date():
    assert DE.moment(ALARM - HOUR) == "19:41"
    assert DE.moment(ALARM - 24 * HOUR) == "Mo 14.12., 20:41"
    assert EN.moment(ALARM - 24 * HOUR) == "Mon 14 Dec, 20:41"
    assert DE.between(ALARM - 25 * HOUR, ALARM - HOUR) == ("Mo 14.12., 19:41", "19:41")


def test_a_month_of_another_year_has_its_year():
    assert DE.month(datetime(2026, 3, 4, tzinfo=UTC)) == "März"
    assert EN.month(datetime(2025, 3, 4, tzinfo=UTC)) == "March 2025"


def test_lists_end_with_and():
    assert DE.listed(["a"]) == "a"
    assert DE.listed(["a", "b", "c"]) == "a, b und c"
    assert EN.listed([]) == ""


@pytest.mark.parametrize(
    ("budget", "german", "english"),
    [
        (1 / 30, "höchstens 1 Fehlalarm in 30 Tagen", "at most 1 false alarm in 30 days"),
        (1.0, "höchstens 1 Fehlalarm am Tag", "at most 1 false alarm a day"),
        (3.0, "höchstens 3 Fehlalarme am Tag", "at most 3 false alarms a day"),
    ],
)
def test_the_budget_is_said_in_words(budget, german, english):
    assert rule_words(budget, "de") == german
    assert rule_words(budget, "en") == english


# --------------------------------------------------------- headline and sentence


def test_the_first_line_and_the_sentence_read_as_the_design_wants_them():
    message = told()
    assert message.lock_screen == "🔴 Nordfunk – Negative Erwähnungen: 38 in 60 min, üblich 2–6"
    assert said(message.sentence) == (
        "38 negative Erwähnungen in der letzten Stunde; um diese Zeit sind es sonst 2–6. "
        "Das gab es in 12 Wochen einmal."
    )
    assert [span.text for span in message.sentence if span.bold] == ["38 negative Erwähnungen in der letzten Stunde"]


@pytest.mark.parametrize(
    ("figures", "headline", "sentence"),
    [
        (
            {"usual_low": 1, "usual_high": 1},
            "Nordfunk – Negative Erwähnungen: 38 in 60 min, üblich 1",
            "38 negative Erwähnungen in der letzten Stunde; um diese Zeit ist es sonst eine.",
        ),
        (
            {"observed": 1, "usual_low": 0, "usual_high": 0, "window": 20 * MINUTE},
            "Nordfunk – Negative Erwähnungen: 1 in 20 min, sonst keine",
            "1 negative Erwähnung in den letzten 20 min; um diese Zeit gibt es sonst keine.",
        ),
        (
            {"observed": 12_400, "usual_low": 1000, "usual_high": 1800, "window": 72 * HOUR},
            "Nordfunk – Negative Erwähnungen: 12.400 in 3 Tagen, üblich 1.000–1.800",
            "12.400 negative Erwähnungen in den letzten 3 Tagen; um diese Zeit sind es sonst 1.000–1.800.",
        ),
        (
            {"kind": SpikeKind.TOTAL, "observed": 90},
            "Nordfunk – Erwähnungen: 90 in 60 min, üblich 2–6",
            "90 Erwähnungen in der letzten Stunde; um diese Zeit sind es sonst 2–6.",
        ),
    ],
)
def test_every_kind_of_figure_has_its_words(figures, headline, sentence):
    message = told(changed(**{"rarity": None} | figures))
    assert message.headline == headline
    assert said(message.sentence) == sentence


@pytest.mark.parametrize(
    ("rarity", "history", "text"),
    [
        (timedelta(weeks=12), timedelta(0), " Das gab es in 12 Wochen einmal."),
        (timedelta(days=9), timedelta(weeks=8), " Das gab es in 9 Tagen einmal."),
        (timedelta(weeks=30), timedelta(weeks=8), " Durch Zufall käme das in 30 Wochen einmal vor."),
        (timedelta(days=10_000), timedelta(weeks=8), " Durch Zufall käme das seltener als einmal im Jahr vor."),
        (timedelta(hours=20), timedelta(weeks=8), ""),
        (None, timedelta(weeks=8), ""),
    ],
)
def test_rarity_claims_no_more_than_was_seen(rarity, history, text):
    assert said(told(changed(rarity=rarity, history=history)).sentence[2:]) == text


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("brand", ["N", "Nordfunk", "Norddeutsche Telefongesellschaft", "Übernordsee-" * 9])
@pytest.mark.parametrize("observed", [3, 38, 12_400])
def test_the_first_forty_characters_hold_brand_and_number(language, state, brand, observed):
    incident = replace(changed(ENDED, observed=observed, is_estimate=True), state=state, peak=observed)
    for kind in (DeliveryKind.OPEN, DeliveryKind.TEST, DeliveryKind.THREAD):
        headline = told(incident, kind=kind, language=language, brand=brand, title="").headline
        number = Voice(words_of(language), BERLIN, ALARM).number(observed)
        assert number in headline[:40]
        assert brand[:3] in headline[:40]
        assert len(headline) <= 150


@pytest.mark.parametrize(
    ("brand", "title", "name"),
    [
        ("Nordfunk", "nordfunk", "Nordfunk"),
        ("Nordfunk", "", "Nordfunk"),
        ("Nordfunk", "Nordfunk TV", "Nordfunk TV"),
        ("Nordfunk", "Störung", "Nordfunk, Störung"),
    ],
)
def test_the_monitor_is_named_when_that_says_more(brand, title, name):
    assert told(brand=brand, title=title).headline.startswith(f"{name} – ")


def test_an_acknowledgement_without_a_name_says_nothing():
    message = told(replace(ACKNOWLEDGED, acknowledged_by=None))
    assert said(message.sentence).endswith("sonst 4–12.")


# ------------------------------------------------------------------ picture


def test_the_picture_begins_at_zero_and_two_posts_are_no_storm():
    assert sparkline((0, 1, 2)) == "▁▃▄"
    assert sparkline((0, 5, 11, 22)) == "▁▃▅█"
    assert sparkline((0, 0)) == sparkline(()) == sparkline((-1, -1)) == ""
    assert sparkline((-1, 0, 9)) == "·▁█"


@given(st.lists(st.integers(-1, 10_000), max_size=40))
def test_a_higher_bar_is_never_drawn_lower(counts):
    drawn = sparkline(counts)
    assert len(drawn) in {0, len(counts)}
    pairs = sorted(zip(counts, drawn, strict=False))
    levels = ["·▁▂▃▄▅▆▇█".index(bar) for _, bar in pairs]
    assert levels == sorted(levels)
    assert all((bar == "▁") == (count == 0) for count, bar in pairs if count >= 0)


# ------------------------------------------------------------------- facts


def test_what_is_not_known_is_left_out():
    message = told(evidence=Evidence(), rule="", details_url="", on_call=None)
    assert message.lines == message.honest == message.quotes == ()
    assert [button.act for button in message.buttons] == ["acknowledge", "snooze", "dismiss", "details"]
    assert said(message.footer[0]) == "Noch niemand zuständig, offen, NF-2026-042, 20:41"
    assert len(message.footer) == 1


def test_many_sources_are_summed_up():
    names = [SourceId(f"s{n}") for n in range(9)]
    message = told(evidence=replace(EVIDENCE, sources=tuple((name, 9 - n) for n, name in enumerate(names))))
    assert line(message, "Quellen") == "s0 9, s1 8, s2 7, s3 6, s4 5, 10 in weiteren Quellen"


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ({"critics": 1, "negatives": 1, "reach_critics": 0, "copies_share": 0.0, "defenders": 0}, "1 Konto"),
        ({"copies_share": 0.0, "reach_critics": 0, "defenders": 1}, "29 Konten, keine Kopien, 1 verteidigt uns"),
        (
            {"insult_share": 0.12, "reach_critics": 0, "defenders": 0},
            "29 Konten, 6\u00a0% Kopien, 12\u00a0% beleidigend",
        ),
    ],
)
def test_who_wrote_it(figures, text):
    assert line(told(evidence=replace(EVIDENCE, **figures)), "Wer") == text


def test_a_long_storm_says_for_how_long():
    incident = replace(INCIDENT, course=Course.HIGH, onset=ALARM - 9 * HOUR)
    assert line(told(incident), "Verlauf") == "bleibt hoch seit 9 Std.: 5 → 11 → 22 je 20 min"


def test_a_case_is_named_by_its_phrase_or_by_its_month():
    case = Case(id="NF-2025-061", opened_at=ALARM - timedelta(days=280), duration=5 * HOUR, community=3)
    assert line(told(), "Ähnliche Fälle") == "NF-2025-061 (Preiserhöhung, 5 Std., Skala 3, klang von selbst ab)"
    assert line(told(cases=(case,)), "Ähnliche Fälle") == "NF-2025-061 (März, 5 Std., Skala 3)"
    assert line(told(cases=()), "Ähnliche Fälle") is None


def test_a_factor_stands_only_where_the_usual_is_at_least_one():
    assert "9-Fache" in line(told(), "Regel")
    assert "Fache" not in line(told(changed(expected=0.9)), "Regel")
    assert "Fache" not in line(told(changed(expected=30.0)), "Regel")
    assert line(told(changed(history=timedelta(0), expected=0.5)), "Regel") == "höchstens 1 Fehlalarm in 30 Tagen"


def test_phrases_are_the_only_foreign_words_of_the_facts():
    foreign = [span.text for one in told().lines for span in one.spans if span.foreign]
    assert foreign == ["TV-Spot", "Warteschleife", "14 Tage", "Preiserhöhung"]


def test_a_phrase_of_nothing_visible_is_left_out():
    phrases = (replace(EVIDENCE.phrases[0], text="\u202e\u200b"), EVIDENCE.phrases[1])
    assert line(told(evidence=replace(EVIDENCE, phrases=phrases)), "Neu im Vergleich zu sonst") == "„Warteschleife“ 11×"


# ------------------------------------------------------------ limits, coverage


@pytest.mark.parametrize(
    ("incident", "evidence", "expected"),
    [
        ({}, {"top_share": 0.8, "top_authors": 1}, "Ein Konto hat 80\u00a0% geschrieben."),
        ({}, {"top_share": 0.8, "top_authors": 6}, "6 Konten haben 80\u00a0% geschrieben."),
        ({}, {"copies_share": 0.61}, "61\u00a0% sind Kopien."),
        ({}, {"unclear_share": 0.3}, "Stimmung unsicher: 30\u00a0% unklar."),
        ({}, {"sources": ((SourceId("x"), 38),)}, "Nur eine Quelle: X."),
        ({"is_estimate": True}, {}, "Die Zahl ist geschätzt: Viele Erwähnungen sind nicht eindeutig."),
        ({"is_partial": True}, {}, "38 ist die Untergrenze: Eine Quelle war zeitweise nicht zu lesen."),
        ({"learning": True, "history": 14 * HOUR}, {}, "Lernt noch: erst 14 Std. Vergleich."),
        ({"history": timedelta(days=9)}, {}, "Lernt noch: erst 9 Tage Vergleich."),
    ],
)
def test_what_limits_the_finding_is_said(incident, evidence, expected):
    assert told(changed(**incident), replace(EVIDENCE, **evidence)).honest == (expected,)


def test_a_sound_finding_has_nothing_to_confess():
    assert told().honest == ()


def test_several_late_sources_are_one_sentence():
    late = (sight("x", read=25), sight("blog", read=45), sight("mail"))
    message = told(evidence=replace(EVIDENCE, sight=late))
    assert message.honest == ("2 Quellen sind verspätet, bis zu 45 min.",)
    assert said(message.footer[1]) == "1 von 3 Quellen gelesen bis 20:40, X erst bis 20:16, Blog erst bis 19:56"


@pytest.mark.parametrize(
    ("sights", "text"),
    [
        (SIGHT[:1], "X gelesen bis 20:40"),
        (SIGHT, "alle 5 Quellen gelesen bis 20:40"),
        ((sight("x", read=30),), "X gelesen bis 20:11"),
        ((sight("x", read=-600),), "X gelesen bis 20:41"),
        ((sight("x"), sight("mail", read=2)), "beide Quellen gelesen bis 20:39"),
        (
            (sight("x", read=None), sight("mail", blind=29)),
            "keine von 2 Quellen gelesen, X fehlt, Postfach fehlt seit 20:12",
        ),
        ((sight("x", blind=29),), "die einzige Quelle nicht gelesen, X fehlt seit 20:12"),
        ((*SIGHT[:2], sight("mail", read=None)), "2 von 3 Quellen gelesen bis 20:40, Postfach fehlt"),
        ((*SIGHT[:2], sight("mail", state=SourceState.PAUSED)), "2 von 3 Quellen gelesen bis 20:40, Postfach fehlt"),
        (
            (*SIGHT[:2], sight("mail", state=SourceState.DEGRADED)),
            "alle 3 Quellen gelesen bis 20:40, Postfach nur teilweise",
        ),
    ],
)
def test_the_coverage_says_how_far_each_source_was_read(sights, text):
    assert said(told(evidence=replace(EVIDENCE, sight=sights)).footer[1]) == text


def test_moments_are_marked_so_that_a_channel_can_show_the_readers_own():
    moments = [span.moment for spans in told().footer for span in spans if span.moment]
    assert moments == [ALARM, ALARM - MINUTE]


# ------------------------------------------------------------------ buttons


@pytest.mark.parametrize(
    ("state", "acts"),
    [
        (State.PENDING, ["details"]),
        (State.OPEN, ["acknowledge", "snooze", "dismiss", "details"]),
        (State.ACKNOWLEDGED, ["resolve", "hand_over", "snooze", "details"]),
        (State.RESOLVED, ["reopen", "details"]),
        (State.DISMISSED, ["reopen", "details"]),
        (State.DISCARDED, ["details"]),
    ],
)
def test_the_buttons_go_with_the_state(state, acts):
    message = told(replace(INCIDENT, state=state))
    assert [button.act for button in message.buttons] == acts
    assert [button.act for button in message.buttons if button.primary] == acts[:1] * (state is State.OPEN)
    assert all(bool(button.url) == (button.act == "details") for button in message.buttons)
    assert message.emoji == EMOJI[state]


def test_a_test_alert_has_no_buttons_and_says_what_it_is():
    message = told(kind=DeliveryKind.TEST)
    assert message.buttons == ()
    assert message.headline.startswith("Probealarm: Nordfunk – 38")


# ------------------------------------------------------------------- thread


def in_the_thread(incident=INCIDENT, evidence=EVIDENCE, **known):
    return told(incident, evidence, kind=DeliveryKind.THREAD, **known)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (step(Act.WORSEN, note="2 → 5"), "Schwere steigt: mäßig → sehr hoch. Jetzt 38 in 60 min, üblich 2–6."),
        (step(Act.WORSEN), "Jetzt 38 in 60 min, üblich 2–6."),
        (step(Act.TURN, note="calm"), "Ruhig: 38 in 60 min, üblich 2–6. Die Spitze war 38 in 60 min."),
        (step(Act.TURN), "Steigt wieder: 38 in 60 min, üblich 2–6."),
        (step(Act.ACKNOWLEDGE, by="Anna", at=ALARM + 8 * MINUTE), "Anna hat übernommen, 8 min nach dem Alarm."),
        (step(Act.HAND_OVER, by="Anna"), "Anna übergibt an Anna. Jetzt 38 in 60 min, üblich 2–6."),
        (step(Act.REOPEN), "Wieder offen. Jetzt 38 in 60 min, üblich 2–6."),
        (step(Act.CORRECT, note="33 → 38"), "Korrigiert: 33 → 38 in 60 min."),
        (step(Act.CORRECT, note="38 → 38"), "Jetzt 38 in 60 min, üblich 2–6."),
        (step(Act.OPEN), "Jetzt 38 in 60 min, üblich 2–6."),
        (step(Act.RESOLVE), "Jetzt 38 in 60 min, üblich 2–6."),
        (None, "Jetzt 38 in 60 min, üblich 2–6."),
    ],
)
def test_the_thread_tells_each_change_in_one_sentence(change, text):
    message = in_the_thread(transition=change)
    assert said(message.sentence) == text
    assert message.lines == message.quotes == message.buttons == ()


def test_the_channel_is_told_only_when_it_gets_worse_or_nobody_took_it():
    told_all = {act: in_the_thread(transition=step(act)).broadcast for act in Act}
    assert {act for act, shown in told_all.items() if shown} == {Act.WORSEN, Act.AGE, Act.REOPEN}
    assert not in_the_thread(ACKNOWLEDGED, transition=step(Act.AGE)).broadcast


def test_a_reply_carries_the_revision_of_its_change():
    assert in_the_thread(transition=step(Act.AGE)).revision == 4
    assert in_the_thread().revision == INCIDENT.revision


# ---------------------------------------------------------------------- end


@pytest.mark.parametrize(
    ("incident", "evidence", "known", "part"),
    [
        ({}, {}, {}, "Übernommen nach 8 min, erste Antwort nach 55 min."),
        ({"acknowledged_at": None}, {}, {}, "Niemand hat übernommen, erste Antwort nach 55 min."),
        ({}, {}, {"first_acknowledged_at": ALARM + 3 * MINUTE}, "Übernommen nach 3 min"),
        ({}, {"first_answered": None}, {}, "keine Antwort von uns."),
        ({}, {"first_answered": ALARM - HOUR}, {}, "erste Antwort schon vor dem Alarm."),
        ({"severity": 3}, {}, {}, "Schwere mittel."),
        ({}, {"reach_critics": 1}, {}, "Ein Konto über 10.000 Follower."),
        ({"closed_by": "Ben"}, {}, {}, "Abgeschlossen von Ben."),
        ({}, {}, {}, "Ruhig seit 21:52."),
    ],
)
def test_the_end_sums_up(incident, evidence, known, part):
    message = told(replace(ENDED, **incident), replace(ENDED_EVIDENCE, **evidence), **known)
    assert part in said(message.sentence)


def test_an_abbreviated_unit_and_the_end_of_the_sentence_share_their_full_stop():
    message = told(replace(ENDED, closed_at=ENDED.opened_at + 3 * HOUR), ENDED_EVIDENCE)
    assert said(message.sentence).startswith("Beendet nach 3 Std. Spitze ")


def test_an_end_of_which_little_is_known_says_little():
    bare = replace(ENDED, calm_since=None, acknowledged_by=None, acknowledged_at=None)
    message = told(bare, Evidence())
    assert said(message.sentence) == (
        "Beendet nach 3 Std. 11 min. Spitze 121 in 60 min, zusammen 402. "
        "Niemand hat übernommen, keine Antwort von uns. Schwere zuerst mittel, in der Spitze hoch."
    )
    assert said(message.footer[0]).startswith("Niemand hat übernommen, beendet, ")


# ------------------------------------------------------------ strangers' words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n\tb   c", "a b c"),
        ("seht https://www.x.example/y?z=1 an", "seht [x.example] an"),
        ("seht www.x.example/@du", "seht [x.example]"),
        ("ht\u200btps://böse.example/pfad", "[böse.example]"),
        ("https://gut.example@böse.example/", "[böse.example]"),
        ("https://böse.example/@gut.example", "[böse.example]"),
        ("javascript://%0aalert(1)", "[…]"),
        ("ftp://a.example und HTTP://B.example", "[a.example] und [B.example]"),
        ("rot\u202egelb\u0000\u001b[31m", "rotgelb[31m"),
        ("<!channel> & @here *fett*", "<!channel> & @here *fett*"),
        ("", ""),
    ],
)
def test_strangers_words_are_made_inert(text, shown):
    assert excerpt(text) == shown


def test_a_quote_is_cut_at_220_characters():
    assert len(excerpt("ab " * 200)) <= 220
    assert excerpt("x" * 500).endswith("…")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/1?b=c#d", True),
        ("HTTPS://a.example", True),
        ("http://a.example", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://[x", False),
        ("https://a.example/ b", False),
        ("https://a.example/\n", False),
        ("https://a.example/" + "a" * 2000, False),
        ("", False),
    ],
)
def test_only_plain_https_links_are_kept(url, safe):
    assert safe_url(url) == (url.replace("HTTPS", "https") if safe else "")


def test_a_quote_whose_text_is_gone_is_left_out():
    assert [quote.label for quote in told(texts={MentionId(2): "da"}).quotes] == ["Blog, 20:03"]


def test_text_alone_begins_with_the_lock_screen_line():
    message = told()
    assert plain_text(message).splitlines()[0] == message.lock_screen
    assert len(message.lock_screen) <= 300


# ------------------------------------------------------------- why, and how before


@pytest.mark.parametrize(
    ("fields", "german", "english"),
    [
        ({"ended": State.RESOLVED, "is_by_itself": True}, "klang von selbst ab", "subsided by itself"),
        ({"ended": State.RESOLVED}, "abgeschlossen", "resolved"),
        ({"ended": State.DISMISSED, "label": "bots"}, "keine Krise, Grund: Bots", "not a crisis, reason: bots"),
        ({"ended": State.DISMISSED, "label": "?"}, "keine Krise, Grund: anderer", "not a crisis, reason: other"),
    ],
)
def test_a_similar_case_says_how_it_ended(fields, german, english):
    case = Case(id="NF-2025-061", opened_at=ALARM, duration=5 * HOUR, community=3, what="Preis", **fields)
    assert line(told(cases=(case,)), "Ähnliche Fälle") == f"NF-2025-061 (Preis, 5 Std., Skala 3, {german})"
    shown = line(told(cases=(case,), language="en"), "Similar cases")
    assert shown == f"NF-2025-061 (Preis, 5 h, scale 3, {english})"


def test_a_level_never_stands_without_the_inputs_that_decided_it():
    evidence = replace(
        EVIDENCE,
        community=5,
        community_inputs=(("critics", 250), ("critics_share", 0.42), ("insult_share", 0.06), ("echo", 0.0)),
        media=4,
        media_inputs=(("outlets", 5), ("articles", 9)),
        negatives=600,
        mentions=1400,
    )
    assert line(told(evidence=evidence), "Skala") == (
        "5 Sturm (250 kritische Stimmen, 42\u00a0% kritisch, 6\u00a0% beleidigend), Medien 4 (5 Medien, 9 Artikel)"
    )


def test_every_input_of_the_scale_has_words_in_both_languages():
    names = {field for kind in (Community, Media) for field in kind.__struct_fields__} - {"lasted", "channels_watched"}
    for language in ("de", "en"):
        assert set(words_of(language).skala_inputs) == names


def test_a_known_event_that_the_usual_was_raised_for_is_said():
    def sentence(**event):
        picture = replace(EVIDENCE.picture, events=(Occasion(name="TV-Spot", **event),))
        return said(told(evidence=replace(EVIDENCE, picture=picture)).sentence)

    during = {"at": ALARM - 43 * MINUTE, "until": ALARM + HOUR}
    assert "sonst 2–6, TV-Spot eingerechnet. Das" in sentence(**during)
    assert "eingerechnet" not in sentence(at=ALARM - 5 * HOUR, until=ALARM - 4 * HOUR)
    assert "eingerechnet" not in sentence(at=ALARM + MINUTE, until=ALARM + HOUR)


@pytest.mark.parametrize(("notes", "observed"), [(("33 → 36",), 61), (("36 → 36",), 36), (("33 → 36", "36 → 36"), 36)])
def test_what_grew_since_or_proved_right_is_not_called_corrected(notes, observed):
    assert first_told([step(Act.CORRECT, note=note) for note in notes], observed) is None


def test_what_was_told_at_first_is_remembered_once_it_was_corrected():
    steps = [step(Act.OPEN), step(Act.CORRECT, note="30 → 31"), step(Act.CORRECT, note="33 → 36")]
    assert first_told(steps, 36) == 33
    assert first_told(steps[:1], 36) is None
    assert "Korrigiert: Zuerst waren 33 gemeldet." in told(first_observed=33).honest


@pytest.mark.parametrize(
    ("way", "counts", "said"),
    [
        (Course.RISING, (46, 33, 17), "zuletzt weniger: 46 → 33 → 17 je 20 min"),
        (Course.CLIMBING, (33, 17, 9), "zuletzt weniger: 33 → 17 → 9 je 20 min"),
        (Course.SUBSIDING, (4, 9, 22), "zuletzt mehr: 4 → 9 → 22 je 20 min"),
        (Course.RISING, (5, 11, 22), "steigt: 5 → 11 → 22 je 20 min"),
        (Course.RISING, (20, 19, 18), "steigt: 20 → 19 → 18 je 20 min"),
        (Course.HIGH, (22, 11, 5), "bleibt hoch: 22 → 11 → 5 je 20 min"),
    ],
)
def test_the_word_for_the_course_is_not_belied_by_its_numbers(way, counts, said):
    message = told(incident=replace(INCIDENT, course=way), evidence=replace(EVIDENCE, course=counts))
    (course,) = [line for line in message.lines if line.label == "Verlauf"]
    assert "".join(span.text for span in course.spans) == said
    assert said.partition(":")[0] in message.chart.alt


@pytest.mark.parametrize(
    ("note", "first", "then"),
    [
        ("subsiding", "klingt ab", "Noch über dem Üblichen, seit 9 Std.: "),
        ("climbing", "steigt langsam", "Bleibt hoch seit 9 Std.: "),
    ],
)
def test_what_subsides_for_hours_is_not_said_to_stay_high(note, first, then):
    message = told(kind=DeliveryKind.THREAD, transition=step(Act.AGE, note=note), at=ALARM + 8 * HOUR)
    assert message.headline.endswith(f", {first}")
    assert said(message.sentence).startswith(then)


@pytest.mark.parametrize(("by", "owner"), [("Anna", "Zuständig Anna"), ("brandmelder", "Niemand hat übernommen")])
def test_who_decided_about_what_nobody_took_stands_below_its_end(by, owner):
    ended = replace(INCIDENT, state=State.RESOLVED, closed_at=ALARM + HOUR, closed_by=by)
    assert said(told(incident=ended, at=ALARM + HOUR).footer[0]).startswith(f"{owner}, beendet")
