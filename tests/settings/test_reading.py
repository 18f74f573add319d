from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from brandmelder.errors import ConfigurationError
from brandmelder.settings import read_settings
from brandmelder.settings.shape import initials


def problems_of(read, text, environment=None):
    with pytest.raises(ConfigurationError) as caught:
        read(text, environment)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_the_configuration_of_the_issue_becomes_settings(read, good):
    settings = read(good)
    assert (settings.brand, settings.short, settings.language) == ("Nordfunk", "NO", "de")
    assert settings.zone == ZoneInfo("Europe/Berlin")
    assert settings.database == "sqlite:///brandmelder.db"
    assert list(settings.sources) == ["blog", "press"]
    assert settings.sources["blog"].every == timedelta(minutes=2)
    assert settings.sources["blog"].own_accounts == ("nordfunk",)
    assert settings.sources["press"].class_ == "news"
    assert settings.monitors["nordfunk"].sources == ("blog", "press")
    assert settings.monitors["nordfunk"].budget == pytest.approx(1 / 30)
    assert settings.monitors["nordfunk"].title == "nordfunk"
    assert settings.channels["crisis"].channel == "C0123456789"
    assert settings.channels_of("nordfunk") == ("crisis", "console")
    assert settings.warnings == ()


SMALL = """\
brand: Küste & Watt
sources:
  blog: {type: pond, url: "https://blog.example"}
monitors:
  watt: {query: watt}
channels:
  console: {type: horn}
alerts:
  - {to: [console]}
"""


def test_what_is_left_out_has_good_defaults(read):
    settings = read(SMALL)
    assert (settings.language, settings.zone.key, settings.short) == ("de", "Europe/Berlin", "KW")
    assert (settings.database, settings.classifier, settings.on_call) == ("sqlite:///brandmelder.db", "linear", None)
    assert settings.monitors["watt"].sources == ("blog",)
    assert settings.monitors["watt"].false_alarms == "balanced"
    assert settings.alerts[0].monitors is None


def test_everything_optional_is_taken(read):
    extra = "short: NF\non_call: Bereitschaft\nclassifier: coin\n"
    monitor = (
        "{query: watt, sources: all, title: Watt, runbook: 'https://x.example/r', holding_statement: Wir sehen es.}"
    )
    settings = read(extra + SMALL.replace("{query: watt}", monitor))
    assert (settings.short, settings.on_call, settings.classifier) == ("NF", "Bereitschaft", "coin")
    watt = settings.monitors["watt"]
    assert (watt.title, watt.runbook, watt.holding_statement) == ("Watt", "https://x.example/r", "Wir sehen es.")


def test_a_message_at_run_time_can_point_at_the_line(read, good):
    settings = read(good)
    assert settings.where("sources", "press") == "brandmelder.yaml:7"
    assert settings.where("sources", "press", "url", "beyond") == "brandmelder.yaml:7"
    assert settings.where("monitors", "nordfunk", "query") == "brandmelder.yaml:10"
    assert settings.where("nowhere") == "brandmelder.yaml"


def test_settings_do_not_change(read, good):
    with pytest.raises(ValueError, match="frozen"):
        read(good).brand = "other"


@pytest.mark.parametrize(
    ("brand", "short"),
    [
        ("Nordfunk", "NO"),
        ("Nord Funk", "NF"),
        ("Österreich", "OS"),
        ("1&1", "BM"),
        ("Küste & Watt eG", "KW"),
        ("Ü", "BM"),
    ],
)
def test_the_prefix_of_incidents_comes_from_the_brand(brand, short):
    assert initials(brand) == short


QUERY = """'(nordfunk OR "nord funk" OR #nordfunk) -stellenanzeige'"""


class Mistake(NamedTuple):
    """`old` becomes `new`; the problem stands in `line`, where `at` begins, and says so with a remedy."""

    old: str
    new: str
    line: int
    at: str
    text: str
    hint: str = ""


MISTAKES = {
    "a misspelt key at the top": Mistake(
        "brand: Nordfunk", "brnad: Nordfunk", 1, "brnad", 'unknown key "brnad"', 'mean "brand"'
    ),
    "a key far from all others": Mistake(
        "language: de", "zzz: de", 2, "zzz", 'unknown key "zzz"', "there are the keys alerts"
    ),
    "a misspelt key of a source": Mistake("class: news", "clas: news", 7, "clas", 'unknown key "clas"', 'mean "class"'),
    "a misspelt key of a monitor": Mistake("    query:", "    quary:", 10, "quary", "unknown key", 'mean "query"'),
    "a misspelt key of a channel": Mistake("channel: C0", "chanel: C0", 14, "chanel", "unknown key", 'mean "channel"'),
    "a misspelt key of an alert": Mistake("to: [", "tos: [", 17, "tos:", "unknown key", 'mean "to"'),
    "a missing key": Mistake('url: "https://blog.example", ', "", 6, "blog", 'the key "url" is missing'),
    "an unknown type": Mistake("type: horn", "type: hron", 15, "hron", 'unknown type "hron"', 'mean "horn"'),
    "a missing type": Mistake("{type: horn}", "{}", 15, "console", 'the key "type" is missing', "bell"),
    "a plug-in that does not load": Mistake("{type: horn}", "{type: lost}", 15, "lost", "does not load", "install"),
    "a plug-in without options": Mistake("{type: horn}", "{type: mute}", 15, "mute", "says nothing", "ChannelOptions"),
    "a channel that is no block": Mistake("{type: horn}", "5", 15, "5", "found the number 5", "write {type"),
    "a language we do not speak": Mistake(
        "language: de", "language: fr", 2, "fr", 'expected "de" or "en", found the text "fr"'
    ),
    "a number for a text": Mistake("Nordfunk", "4711", 1, "4711", "found the number 4711", 'in quotes: "4711"'),
    "a truth for a text": Mistake("Nordfunk", "true", 1, "true", "expected a text, found true", '"true"'),
    "a word for a list": Mistake("[nordfunk]", "nordfunk", 6, "nordfunk}", "expected a list", "in brackets"),
    "a word for a number": Mistake("class: news", "depth: deep", 7, "deep", "expected a whole number"),
    "a number beyond its bounds": Mistake("class: news", "depth: 12", 7, "12", "expected at most 9, found"),
    "neither of two things": Mistake("class: news", "fish: many", 7, "many", "expected a whole number"),
    "something with words of its own": Mistake("class: news", "dug: soon", 7, "soon", "found the text"),
    "too long a name": Mistake("Nordfunk", "N" * 50, 1, "NNN", "is too long: at most 40"),
    "a list where a text is due": Mistake("Nordfunk", "[a]", 1, "[a]", "found a list"),
    "a block where a text is due": Mistake("Nordfunk", "{a: b}", 1, "{a", "found a block of keys"),
    "a zone that is no text": Mistake("timezone: Europe/Berlin", "timezone: 1", 3, "1", "expected a text"),
    "a word for a truth": Mistake("class: news", "allow_private: maybe", 7, "maybe", "expected true or false"),
    "a wrong duration": Mistake("every: 2m", "every: 2 moons", 6, "2 moons", "is no duration", "as in 90s"),
    "a poll without pause": Mistake("every: 2m", "every: 0s", 6, "0s", "needs a pause", "1s or more"),
    "an unknown class": Mistake("class: news", "class: new", 7, "new}", "expected one of own, social", 'mean "news"'),
    "an unknown zone": Mistake("/Berlin", "/Berln", 3, "Europe", "there is no zone", 'mean "Europe/Berlin"'),
    "a zone that is a path": Mistake("Europe/Berlin", "../../etc/passwd", 3, "../", "there is no zone"),
    "PostgreSQL": Mistake("sqlite:///", "postgresql+psycopg://", 4, "postgresql", "SQLite only", "sqlite:///"),
    "no address": Mistake("sqlite:///brandmelder.db", "brandmelder.db", 4, "brandm", "no address", "sqlite:///"),
    "no file": Mistake("sqlite:///brandmelder.db", '"sqlite:///"', 4, '"sqlite', "no address", "sqlite:///"),
    "a broken query": Mistake("'(nordfunk OR", "'((nordfunk OR", 10, "((", "query:"),
    "an empty query": Mistake(QUERY, "''", 10, "''", "too short"),
    "a query that is a number": Mistake(QUERY, "1", 10, "1", "expected a text", 'quotes: "1"'),
    "a query cut by a comment": Mistake(QUERY, "aa OR #bb", 10, "OR", "query:", 'takes "#bb" for a comment'),
    "an unknown source": Mistake(
        "sources: [blog, press]", "sources: [blog, pres]", 11, "pres]", 'unknown source "pres"', 'mean "press"'
    ),
    "no brackets": Mistake("[blog, press]", "blog", 11, "blog", '"blog" is no list', "[blog]"),
    "no source at all": Mistake("[blog, press]", "[]", 11, "[]", "neither all nor a list", "[one, two]"),
    "a budget in prose": Mistake("1 per 30 days", "now and then", 12, "now", "is no budget", "1 per 30 days"),
    "a budget out of reach": Mistake("1 per 30 days", "90 per day", 12, "90", "out of reach", "between"),
    "a budget that is a number": Mistake("1 per 30 days", "3", 12, "3", "3 says no time", "1 per 30 days"),
    "an unknown channel": Mistake("[crisis,", "[crysis,", 17, "crysis", 'unknown channel "crysis"', 'mean "crisis"'),
    "an unknown monitor": Mistake("monitors: all", "monitors: [nordfnk]", 17, "nordf", "unknown", 'mean "nordfunk"'),
    "an alert to nobody": Mistake("[crisis, console]", "[]", 17, "[]", "at least 1 is needed"),
    "an unknown classifier": Mistake("language: de", "classifier: coi", 2, "coi", "unknown", 'mean "coin"'),
    "a long prefix": Mistake("language: de", "short: nordfunk", 2, "nordfunk", "two to four capital letters"),
    "a name with capitals": Mistake("  press: ", "  Press: ", 7, "Press", '"Press" is no name', "small letters"),
    "a name with a colon": Mistake("  console: {", "  'con:sole': {", 15, "'con", "is no name", "small letters"),
    "a runbook over plain HTTP": Mistake(
        "false_alarms: 1 per 30 days", "runbook: http://x.example", 12, "http:", "begins with https://"
    ),
    "a key that stands twice": Mistake("language: de", "brand: Watt", 2, "brand", "the first is in line 1", "remove"),
    "no alerts": Mistake("  - {monitors: all, to: [crisis, console]}", "  []", 17, "[]", "at least 1 is needed"),
    "an alert that says nothing": Mistake("{monitors: all, to: [crisis, console]}", "", 17, "", "found nothing"),
    "one alert without a dash": Mistake("  - {monitors", "  {monitors", 17, "{", "expected a list"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_its_remedy(read, good, name):
    mistake = MISTAKES[name]
    assert mistake.old in good
    text = good.replace(mistake.old, mistake.new, 1)
    place = (mistake.line, (text.splitlines()[mistake.line - 1].find(mistake.at) + 1 if mistake.at else 4))
    found = problems_of(read, text)
    there = [problem for problem in found if (problem.line, problem.column) == place]
    told = [problem for problem in there if mistake.text in problem.text and mistake.hint in problem.hint]
    assert told, "\n".join(map(str, found))
    assert all(problem.file == "brandmelder.yaml" for problem in found)


def test_every_mistake_is_told_at_once_and_in_the_order_of_the_file(read, good):
    wrong, several = good, ["a misspelt key at the top", "a language we do not speak", "an unknown zone"]
    several += ["a wrong duration", "an unknown class", "a broken query", "an unknown source", "an unknown channel"]
    for name in several:
        wrong = wrong.replace(MISTAKES[name].old, MISTAKES[name].new, 1)
    found = problems_of(read, wrong)
    places = [(problem.line, problem.column) for problem in found]
    assert places == sorted(places)
    for name in several:
        assert MISTAKES[name].text in "\n".join(problem.text for problem in found)


def test_a_mistake_in_one_block_does_not_make_its_name_unknown(read, good):
    found = problems_of(read, good.replace("every: 15m", "every: often"))
    assert [problem.text for problem in found] == ["sources.press.every: 'often' is no duration"]


def test_a_monitor_that_no_alert_tells_of_is_a_mistake(read):
    text = SMALL.replace("  watt: {query: watt}", "  watt: {query: watt}\n  kueste: {query: kueste}")
    (problem,) = problems_of(read, text.replace("{to:", "{monitors: [watt], to:"))
    assert 'no alert tells of the monitor "kueste"' in problem.text
    assert (problem.line, problem.column) == (6, 3)


def test_what_is_never_used_is_a_warning(read):
    text = SMALL.replace("channels:", "channels:\n  spare: {type: horn}")
    text = text.replace("monitors:", '  idle: {type: pond, url: "https://x.example"}\nmonitors:', 1)
    text = text.replace("{query: watt}", "{query: watt, sources: [blog, blog]}")
    said = [str(warning) for warning in read(text).warnings]
    assert said[0].startswith('brandmelder.yaml:4:3: no monitor reads the source "idle"')
    assert "twice" in said[1]
    assert said[2].startswith('brandmelder.yaml:8:3: no alert uses the channel "spare"')


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_a_warning(read, address):
    (warning,) = read(f'database: "{address}"\n{SMALL}').warnings
    assert "forgets everything at a restart" in warning.text
    assert warning.line == 1


def test_a_hash_tag_lost_to_a_comment_is_a_warning(read):
    (warning,) = read(SMALL.replace("{query: watt}", "\n    query: watt #wattstrom")).warnings
    assert "comment" in warning.hint


def test_a_hash_tag_that_leaves_nothing_or_cuts_a_bracket_is_named(read):
    (lost,) = problems_of(read, SMALL.replace("{query: watt}", "\n    query: #wattstrom"))
    assert str(lost).endswith(
        "found nothing (what stands behind a # is a comment; put a text that holds one in quotes)"
    )
    cut = problems_of(read, SMALL.replace("{query: watt}", "{query: #wattstrom}"))[0]
    line = SMALL.split("{query: watt}", maxsplit=1)[0].count("\n") + 1
    assert (cut.line, cut.text) == (line, "a # begins a comment, and the bracket before it is never closed")
    assert SMALL.split("\n")[cut.line - 1].replace("watt}", "#wattstrom}")[cut.column - 1] == "#"
    assert cut.hint == "put the text in quotes"


def test_an_ordinary_comment_is_none(read):
    assert read(SMALL.replace("{query: watt}", "\n    query: watt # the old name")).warnings == ()


def test_a_query_over_several_lines_is_placed_too(read):
    text = SMALL.replace("{query: watt}", "\n    query: >-\n      watt OR\n      (kueste")
    (problem,) = problems_of(read, text)
    assert (problem.line, problem.column) == (8, 7)


def test_a_block_that_says_nothing_is_told(read, good):
    found = problems_of(read, good.replace("{monitors: all, to: [crisis, console]}", ""))
    assert [str(problem) for problem in found] == [
        "brandmelder.yaml:17:4: alerts[0]: expected a block of keys, found nothing"
    ]


@pytest.mark.parametrize("text", ["- a\n", "5\n", "just words\n", "null\n"])
def test_a_file_that_is_no_block_is_told(read, text):
    (problem,) = problems_of(read, text)
    assert (problem.line, problem.column) == (1, 1)
    assert "brandmelder init" in problem.hint


@pytest.mark.parametrize(
    ("more", "right"),
    [
        ("web: {listen: 8470}", "127.0.0.1:8470"),
        ("health: {listen: 9393}", "127.0.0.1:9393"),
        ("on_call: 7", 'put it in quotes: "7"'),
    ],
)
def test_a_number_in_the_place_of_a_text_gets_a_remedy_that_is_one(read, more, right):
    (problem,) = problems_of(read, f"{SMALL}{more}\n")
    assert right in problem.hint


def test_an_almost_empty_file_names_all_that_is_missing(read):
    found = problems_of(read, "brand: x\n")
    assert [problem.text for problem in found] == [
        f'the key "{key}" is missing' for key in ("sources", "monitors", "channels", "alerts")
    ]


# ------------------------------------------------------------------- the file


def refusal(path):
    with pytest.raises(ConfigurationError) as caught:
        read_settings(path, {})
    (problem,) = caught.value.problems
    return problem


def test_a_missing_file_says_how_to_begin(tmp_path):
    problem = refusal(tmp_path / "none.yaml")
    assert problem.text == "cannot be read: No such file or directory"
    assert "brandmelder init" in problem.hint


def test_a_folder_is_no_file(tmp_path):
    assert "Is a directory" in refusal(tmp_path).text


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_told(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_text(SMALL)
    path.chmod(0)
    assert "Permission denied" in refusal(path).text


def test_a_file_in_another_encoding_names_the_byte(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_bytes("brand: Nordfunk\nshort: NF\non_call: Grüße\n".encode("latin-1"))
    problem = refusal(path)
    assert (problem.line, problem.column) == (3, 12)
    assert "0xfc is not UTF-8" in problem.text


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_bytes(b"#" * 2_000_000)
    assert "1 MiB" in refusal(path).text


def test_a_byte_order_mark_is_no_mistake(tmp_path, good):
    path = tmp_path / "b.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + good.encode())
    assert read_settings(path, {"BELL_TOKEN": "t"}).brand == "Nordfunk"


def test_windows_line_ends_keep_their_places(tmp_path, good):
    path = tmp_path / "b.yaml"
    path.write_bytes(good.replace("sources: [blog, press]", "sources: [blog, pres]").replace("\n", "\r\n").encode())
    with pytest.raises(ConfigurationError) as caught:
        read_settings(path, {"BELL_TOKEN": "t"})
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(11, 21)]


def test_the_error_prints_one_line_per_problem(read):
    with pytest.raises(ConfigurationError) as caught:
        read("brand: x\n")
    said = 'the key "sources" is missing (The places that are polled, each under a name of your choice)'
    assert str(caught.value).splitlines()[0] == f"brandmelder.yaml:1:1: {said}"
    assert Path(caught.value.problems[0].file).name == "brandmelder.yaml"


def test_topics_are_named_for_the_brand_and_for_a_monitor(read):
    text = SMALL.replace("{query: watt}", "{query: watt, topics: {ebbe: [ebbe, niedrigwasser*]}}")
    settings = read(text + "topics: {outage: [netz weg]}\nincidents_are_negative: true\n")
    assert settings.topics == {"outage": ("netz weg",)}
    assert settings.monitors["watt"].topics == {"ebbe": ("ebbe", "niedrigwasser*")}
    assert settings.incidents_are_negative


def test_every_bad_topic_is_told_where_it_stands(read):
    problems = problems_of(read, SMALL + 'topics:\n  Netz: [weg]\n  wlan: []\n  tv: ["*"]\n  box: [3]\n')
    assert [problem.line for problem in problems] == [11, 12, 13, 14]
    assert "'*' names no word" in str(problems[2])


SECOND = """
second_opinion:
  url: https://llm.example/v1/chat/completions
  model: tiny
  token: ${LLM_TOKEN}
  price_per_million_tokens: 0.5
"""


def test_a_second_opinion_is_off_unless_it_stands_there_and_its_token_is_a_secret(read):
    assert read(SMALL).second_opinion is None
    settings = read(SMALL.replace("type: pond,", "type: pond, may_leave_host: true,") + SECOND, {"LLM_TOKEN": "s3same"})
    assert settings.second_opinion.token.reveal() == "s3same"
    assert settings.second_opinion.requests_per_day == 500
    assert settings.warnings == ()
    assert "s3same" not in repr(settings)


def test_a_token_in_clear_text_and_a_missing_price_are_refused(read):
    wrong = SECOND.replace("${LLM_TOKEN}", "s3same").replace("  price_per_million_tokens: 0.5\n", "")
    problems = problems_of(read, SMALL + wrong)
    told = " ".join(str(problem) for problem in problems)
    assert "secret in clear text" in told
    assert "price_per_million_tokens" in told
    assert "s3same" not in told


def test_a_second_opinion_on_nothing_is_warned_of(read):
    (warning,) = read(SMALL + SECOND, {"LLM_TOKEN": "s3same"}).warnings
    assert "no source lets its texts leave the host" in str(warning)
