"""A model of the operator's own, run for real: what it says counts, and what it cannot say the default judge says."""

import sys
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from brandmelder.classify.linear import LinearClassifier
from brandmelder.classify.transformer import INSTALL, TransformerClassifier
from brandmelder.model import Label, Mention, SourceId, Stance
from classify.tiny_network import write_network

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLAIN = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
NASTY = (
    "",
    " ",
    "\0",
    "🤬",
    "\ud83d lone surrogate \udc00",
    "ß…" * 4000,
    "nicht " * 3000,
    "a" * 1_000_000,
    "\u202egut\u202c",
)


def mention(text, **more):
    return Mention(source=SourceId("forum"), external_id="1", text=text, published_at=NOW, captured_at=NOW, **more)


def judge(classifier, *texts):
    return classifier.classify([mention(text) for text in texts])


def build(folder, labels=PLAIN, timeout=timedelta(minutes=5)):
    model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
    return TransformerClassifier("Nordnetz", model=model, tokenizer=tokenizer, labels=labels, timeout=timeout)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def classifier(network):
    return build(network)


def test_what_the_network_says_counts(classifier):
    good, bad, neither = judge(classifier, "der Service ist gut", "der Service ist schlecht", "der Service ist mäßig")
    assert [one.label for one in (good, bad, neither)] == [Label.POSITIVE, Label.NEGATIVE, Label.NEUTRAL]
    assert [one.stance for one in (good, bad)] == [Stance.DEFENDER, Stance.CRITIC]
    assert bad.p_negative == pytest.approx(0.909443, abs=1e-5)  # e³ / (e³ + 2)
    assert {one.classifier for one in (good, bad, neither)} == {"transformer"}
    assert bad.model_version == classifier.version
    for one in (good, bad, neither):
        assert one.p_negative + one.p_neutral + one.p_positive == pytest.approx(1, abs=1e-6)


def test_labels_mean_what_the_configuration_says(network):
    turned = build(network, labels=(Label.POSITIVE, Label.NEUTRAL, Label.NEGATIVE))
    (verdict,) = judge(turned, "der Service ist gut")
    assert verdict.label is Label.NEGATIVE
    assert turned.version != build(network).version


def test_two_labels_are_enough_and_several_may_mean_the_same(tmp_path):
    two = build(write_network(tmp_path / "two", ("bad", "good")), labels=(Label.NEGATIVE, Label.POSITIVE))
    assert judge(two, "der Service ist schlecht")[0].p_neutral == pytest.approx(0, abs=1e-6)
    both = build(write_network(tmp_path / "both"), labels=(Label.NEGATIVE, Label.NEGATIVE, Label.POSITIVE))
    assert judge(both, "der Service ist mäßig")[0].label is Label.NEGATIVE


def test_all_else_is_as_the_default_judge_says_it(classifier):
    texts = ("Ihr Idioten, der Service ist schlecht, die Rechnung falsch", "Der Service ist gut, Rechnung stimmt")
    for ours, theirs in zip(judge(classifier, *texts), judge(LinearClassifier("Nordnetz"), *texts), strict=True):
        assert (ours.language, ours.topics, ours.insult, ours.weight) == (
            theirs.language,
            theirs.topics,
            theirs.insult,
            theirs.weight,
        )
    own = classifier.classify([mention("der Service ist schlecht", own=True)])
    assert [(one.classifier, one.weight) for one in own] == [("transformer", 0.0)]


def test_a_text_gets_the_same_verdict_in_any_batch(classifier):
    texts = ["der Service ist schlecht", "gut", "mäßig " * 40, "der Service ist gut und schlecht", "schlecht schlecht"]
    alone = [judge(classifier, text)[0] for text in texts]
    assert list(judge(classifier, *texts)) == alone
    assert list(judge(classifier, *reversed(texts * 3))) == list(reversed(alone * 3))


@pytest.mark.parametrize("text", NASTY)
def test_no_text_raises_or_turns_another_one(classifier, text):
    with capture_logs() as logs:
        before, nasty, after = judge(classifier, "der Service ist gut", text, "der Service ist schlecht")
    assert logs == []
    assert (before.label, after.label) == (Label.POSITIVE, Label.NEGATIVE)
    assert 0 <= nasty.p_negative <= 1


def test_what_no_default_judge_reads_stays_unsure(classifier):
    (verdict,) = judge(classifier, "Интернет не работает уже третий день")
    assert (verdict.unsure, verdict.language, verdict.classifier) == (True, "und", "linear")


# ------------------------------------------------------------------------- when it is not heard


def is_fallback(classifier, text="der Service ist schlecht"):
    return judge(classifier, text) == judge(LinearClassifier("Nordnetz"), text)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"no such thing", None])
def test_a_broken_file_leaves_the_default_judge_and_is_told_once(tmp_path, file, content):
    write_network(tmp_path)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with capture_logs() as logs:
        classifier = build(tmp_path)
        assert is_fallback(classifier)
        assert is_fallback(classifier, "gut")
    assert [(one["event"], one["log_level"]) for one in logs] == [("transformer.unusable", "warning")]
    assert str(tmp_path) in logs[0]["file"]


def test_a_network_with_other_outputs_than_labels_leaves_the_default_judge(network):
    with capture_logs() as logs:
        assert is_fallback(build(network, labels=(Label.NEGATIVE, Label.POSITIVE)))
    assert "(1, 3)" in logs[0]["reason"]


def test_a_text_the_network_fails_on_keeps_the_local_verdict_and_the_others_are_judged(tmp_path):
    classifier = build(write_network(tmp_path, places=100_000))
    long = "gut " * 100
    with capture_logs() as logs:
        found = judge(classifier, "schlecht", long, "gut")
    assert [one.classifier for one in found] == ["transformer", "linear", "transformer"]
    assert [(one["event"], one["judged"], one["asked"]) for one in logs] == [("transformer.unheard", 2, 3)]
    assert "gut" not in logs[0]["reason"]


def test_a_text_is_cut_to_what_the_model_can_read(classifier):
    assert judge(classifier, "gut " * 100)[0].classifier == "transformer"


@pytest.mark.parametrize("missing", ["onnxruntime", "tokenizers"])
def test_without_the_extra_the_log_says_what_to_install(network, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with capture_logs() as logs:
        assert is_fallback(build(network))
    assert logs == [
        {
            "event": "transformer.not_installed",
            "log_level": "warning",
            "remedy": INSTALL,
            "judged_by": "linear",
        }
    ]
    assert INSTALL in logs[0]["remedy"]


def test_what_is_not_judged_in_time_keeps_the_local_verdict_and_is_told_once(network):
    classifier = build(network, timeout=timedelta(seconds=1))
    texts = ("endlos der Service ist schlecht", "der Service ist schlecht")
    with capture_logs() as logs:
        assert [one.classifier for one in judge(classifier, *texts)] == ["linear", "linear"]
        assert judge(classifier, *texts) == judge(LinearClassifier("Nordnetz"), *texts)
    assert [one["event"] for one in logs] == ["transformer.unheard"]
    assert (logs[0]["judged"], logs[0]["asked"]) == (0, 2)
    classifier._timeout = timedelta(minutes=5)
    with capture_logs() as logs:
        assert judge(classifier, texts[1])[0].classifier == "transformer"
    assert [one["event"] for one in logs] == ["transformer.heard_again"]


# ------------------------------------------------------------------------- what staff teach


def test_labels_calibrate_the_network_and_undoing_them_undoes_it(network):
    classifier = build(network)
    word = "der Service ist schlecht, Nummer {}"
    texts = [word.format(number) for number in range(40)]
    (before,) = judge(classifier, texts[0])
    classifier.learn({}, texts, [number % 4 == 0 for number in range(40)], random=[True] * 40)
    (after,) = judge(classifier, texts[0])
    assert before.p_negative > 0.9
    assert after.p_negative == pytest.approx(0.25, abs=0.12)
    assert after.model_version != before.model_version
    classifier.learn({}, [], [], random=[])
    assert judge(classifier, texts[0]) == (before,)
