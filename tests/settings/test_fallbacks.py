"""Who stands in for whom, as the configuration says it."""

from pathlib import Path

import pytest

from brandmelder.errors import ConfigurationError
from brandmelder.settings import parse_settings

FALLBACKS = """
brand: Acme
sources: {blog: {type: feed, url: "https://blog.example/feed"}}
monitors: {acme: {query: acme}}
channels:
  crisis: {type: console, fallback: FIRST}
  post: {type: console}
alerts: [{monitors: all, to: [crisis], fallback: SECOND}]
"""


def fallbacks(first, second):
    text = FALLBACKS.replace("FIRST", first).replace("SECOND", second)
    return parse_settings(text, Path("brandmelder.yaml"), {})


def test_a_fallback_stands_with_a_channel_or_with_an_alert_and_is_used():
    settings = fallbacks("[post]", "[post]")
    assert settings.channels["crisis"].fallback == ("post",)
    assert settings.alerts[0].fallback == ("post",)
    assert settings.warnings == ()
    assert [warning.text for warning in fallbacks("[]", "[]").warnings] == ['no alert uses the channel "post"']


def test_a_fallback_must_be_another_channel_that_exists():
    with pytest.raises(ConfigurationError) as caught:
        fallbacks("[crisis]", "[pst]")
    first, second = caught.value.problems
    assert "cannot stand in for itself" in first.text
    assert (second.hint, second.line) == ('did you mean "post"?', 8)


def test_the_address_of_the_heartbeat_is_a_secret():
    text = FALLBACKS.replace("FIRST", "[post]").replace("SECOND", "[]") + "heartbeat: {url: 'URL'}\n"
    settings = parse_settings(
        text.replace("URL", "${HEART}"), Path("brandmelder.yaml"), {"HEART": "https://hc.example/7"}
    )
    assert settings.heartbeat.url.reveal() == "https://hc.example/7"
    with pytest.raises(ConfigurationError) as caught:
        parse_settings(text.replace("URL", "https://hc.example/7"), Path("brandmelder.yaml"), {})
    (problem,) = caught.value.problems
    assert "clear text" in problem.text
    assert "hc.example" not in str(problem)
