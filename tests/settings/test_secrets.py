from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brandmelder.errors import ConfigurationError
from brandmelder.options import Secret

TOKEN = "xoxb-a-very-secret-token"


def problems_of(read, text, environment=None, folder=None):
    with pytest.raises(ConfigurationError) as caught:
        read(text, environment) if folder is None else read(text, environment, folder)
    return caught.value.problems


def test_a_secret_comes_from_the_environment(read, good):
    token = read(good).channels["crisis"].token
    assert token == Secret(TOKEN)
    assert TOKEN not in repr(read(good))


def test_a_variable_that_is_not_set_is_a_mistake_at_its_place(read, good):
    (problem,) = problems_of(read, good, {})
    assert problem.text == "the environment variable BELL_TOKEN is not set"
    assert (problem.line, problem.column) == (14, good.splitlines()[13].index("${") + 1)


def test_an_empty_variable_is_a_mistake_too(read, good):
    (problem,) = problems_of(read, good, {"BELL_TOKEN": ""})
    assert problem.text == "the environment variable BELL_TOKEN is empty"


def test_every_variable_that_is_missing_is_told(read, good):
    text = good.replace("brand: Nordfunk", 'brand: "${ONE} ${TWO}"').replace("every: 2m", 'every: "${THREE}"')
    found = problems_of(read, text)
    assert [problem.text.split()[3] for problem in found] == ["ONE", "TWO", "THREE"]


def test_a_variable_without_quotes_inside_braces_gets_a_hint(read, good):
    (problem,) = problems_of(read, good.replace('"${BELL_TOKEN}"', "${BELL_TOKEN}"))
    assert problem.hint == 'in braces put it in quotes: "${NAME}"'


def test_a_name_that_is_none_is_told(read, good):
    (problem,) = problems_of(read, good.replace("${BELL_TOKEN}", "${BELL TOKEN}"))
    assert problem.text == "${BELL TOKEN} names no variable"


def test_anything_may_come_from_the_environment(read, good):
    text = good.replace("https://blog.example", "https://${HOST}/blog").replace("every: 2m", 'every: "${PAUSE}"')
    blog = read(text, {"BELL_TOKEN": TOKEN, "HOST": "a.example", "PAUSE": "90s"}).sources["blog"]
    assert blog.url == "https://a.example/blog"
    assert blog.every.total_seconds() == 90


@pytest.mark.parametrize(
    "written", ["xoxb-123-clear", "12345678", "hunter-${BELL_TOKEN}", "${BELL_TOKEN}${BELL_TOKEN}"]
)
def test_a_secret_in_clear_text_is_refused(read, good, written):
    (problem,) = problems_of(read, good.replace("${BELL_TOKEN}", written))
    assert problem.text == "a secret in clear text"
    assert problem.hint == "write ${CRISIS_TOKEN} and export it, or use token_file"
    assert (problem.line, problem.column) == (14, good.splitlines()[13].index('"${') + 1)
    assert "clear" not in str(problem).replace("in clear text", "")


def test_an_optional_secret_in_clear_text_is_refused_too(read, good):
    found = problems_of(read, good.replace("class: news", "class: news, password: hunter2"))
    assert [problem.text for problem in found] == ["a secret in clear text"]
    assert "hunter2" not in str(found[0])


def test_secrets_deeper_in_a_block_are_found(read, good):
    text = good.replace("channel: C0123456789", "ropes: [{key: '${BELL_TOKEN}'}, {key: hunter2}, {key: x, lenght: 2}]")
    found = problems_of(read, text)
    assert [problem.text for problem in found] == [
        "a secret in clear text",
        "a secret in clear text",
        'unknown key "lenght"',
    ]
    assert found[2].hint == 'did you mean "length"?'


def test_secrets_in_a_list_are_secrets(read, good):
    text = good.replace("channel: C0123456789", "spare: ['${BELL_TOKEN}', '${BELL_TOKEN}', null, hunter2]")
    assert "a secret in clear text" in [problem.text for problem in problems_of(read, text)]
    text = good.replace("channel: C0123456789", "spare: ['${BELL_TOKEN}', '${BELL_TOKEN}']")
    assert read(text).channels["crisis"].spare == (Secret(TOKEN), Secret(TOKEN))


def test_a_secret_that_is_missing_altogether_is_none_in_clear_text(read, good):
    assert read(good.replace("class: news", "password: ")).sources["press"].password is None


# ------------------------------------------------------------------ from a file


@pytest.fixture
def from_file(good):
    return good.replace('token: "${BELL_TOKEN}"', "token_file: secret.txt")


def test_a_secret_comes_from_a_file_beside_the_configuration(read, from_file, tmp_path):
    (tmp_path / "secret.txt").write_text(f"{TOKEN}\n")
    assert read(from_file, {}, tmp_path).channels["crisis"].token == Secret(TOKEN)


def test_a_secret_comes_from_a_file_elsewhere(read, from_file, tmp_path):
    (tmp_path / "secret.txt").write_text(TOKEN)
    text = from_file.replace("secret.txt", str(tmp_path / "secret.txt"))
    assert read(text, {}).channels["crisis"].token == Secret(TOKEN)


def test_a_missing_secret_file_is_one_mistake(read, from_file, tmp_path):
    (problem,) = problems_of(read, from_file, {}, tmp_path)
    assert "cannot be read: No such file or directory" in problem.text
    assert (problem.line, problem.column) == (14, from_file.splitlines()[13].index("secret.txt") + 1)


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b"\xff\xfe", "not UTF-8"), (b"x" * 20_000, "too large")]
)
def test_an_unusable_secret_file_is_one_mistake(read, from_file, tmp_path, content, words):
    (tmp_path / "secret.txt").write_bytes(content)
    (problem,) = problems_of(read, from_file, {}, tmp_path)
    assert words in problem.text


def test_a_secret_given_twice_is_a_mistake(read, good):
    text = good.replace("{type: bell,", "{type: bell, token_file: secret.txt,")
    assert [problem.text for problem in problems_of(read, text)] == ["token and token_file stand both here"]


def test_a_secret_file_is_a_path(read, from_file):
    (problem,) = problems_of(read, from_file.replace("secret.txt", "[a]"))
    assert problem.text == "a path to a file is expected"


@pytest.fixture
def gong(from_file):
    return (
        from_file.replace("type: bell", "type: gong")
        .replace("channel: C0123456789, ", "")
        .replace(", channel: C0123456789", "")
    )


def test_a_plug_in_that_reads_the_file_itself_gets_its_path(read, gong, tmp_path):
    (tmp_path / "secret.txt").write_text(TOKEN)
    options = read(gong, {}, tmp_path).channels["crisis"]
    assert (options.token, options.token_file) == (None, tmp_path / "secret.txt")


def test_a_plug_in_that_reads_the_file_itself_is_told_of_a_missing_one_now(read, gong, tmp_path):
    (problem,) = problems_of(read, gong, {}, tmp_path)
    assert "cannot be read" in problem.text


def test_a_plug_in_may_say_what_a_whole_block_lacks(read, gong):
    (problem,) = problems_of(read, gong.replace(", token_file: secret.txt", ""))
    assert problem.text == "channels.crisis: needs exactly one of token and token_file"
    assert (problem.line, problem.column) == (14, 12)


def test_a_missing_secret_names_its_key(read, good):
    (problem,) = problems_of(read, good.replace('token: "${BELL_TOKEN}", ', ""))
    assert problem.text == 'the key "token" is missing'


# -------------------------------------------------------- nothing shows a secret

PLACES = [
    ("brand: Nordfunk", "brand: {}"),
    ("language: de", "language: {}"),
    ("timezone: Europe/Berlin", "timezone: {}"),
    ("sqlite:///brandmelder.db", "{}"),
    ("every: 2m", "every: {}"),
    ("class: news", "class: {}"),
    ("class: news", "depth: {}"),
    ('url: "https://blog.example"', "url: {}"),
    ("own_accounts: [nordfunk]", "own_accounts: {}"),
    ("false_alarms: 1 per 30 days", "false_alarms: {}"),
    ("false_alarms: 1 per 30 days", "runbook: {}"),
    ("sources: [blog, press]", "sources: {}"),
    ("sources: [blog, press]", "sources: [{}]"),
    ("monitors: all", "monitors: [{}]"),
    ("monitors: all", "monitors: {}"),
    ("to: [crisis, console]", "to: [{}]"),
    ("type: horn", "type: {}"),
    ("'(nordfunk OR", "'{} (nordfunk OR"),
]
SECRETS = st.text("abcdefghijkmnopqrstuvwxyzäöüABC0123456789-_ '\"\\:;/", min_size=12, max_size=60).filter(
    lambda text: text.strip() == text and "nordfunk" not in text
)


def what_is_said(read, text, environment):
    try:
        return "".join(map(str, read(text, environment).warnings))
    except ConfigurationError as error:
        return str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRETS, places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=4))
def test_no_mistake_shows_the_value_of_a_variable(read, good, secret, places):
    text = good
    for old, new in places:
        text = text.replace(old, new.replace("{}", '"${SECRET}"' if "'" not in new else "${SECRET}"), 1)
    said = what_is_said(read, text, {"BELL_TOKEN": TOKEN, "SECRET": secret})
    assert secret not in said
    assert repr(secret)[1:-1] not in said
    assert TOKEN not in said


@pytest.mark.parametrize("place", ["channel: {}", "channel: [{}]", "chanel: {}", "type: {}"])
def test_a_token_in_a_wrong_place_is_not_shown_either(read, good, place):
    text = good.replace("channel: C0123456789", place.format("xoxb-1234-abcdefgh")).replace("type: bell, ", "")
    for problem in problems_of(read, text):
        assert "xoxb" not in str(problem)
