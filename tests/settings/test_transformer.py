"""The block of a model of one's own: what it means, and where each thing wrong with it is told."""

from datetime import timedelta

import pytest

from brandmelder import wiring
from brandmelder.errors import ConfigurationError
from brandmelder.model import Label
from classify.tiny_network import write_network

SMALL = """\
brand: Nordfunk
classifier: transformer
transformer: {path: model}
sources:
  blog: {type: pond, url: "https://blog.example"}
monitors:
  watt: {query: watt}
channels:
  console: {type: horn}
alerts:
  - {to: [console]}
"""
REVISION = "0123456789abcdef0123456789abcdef01234567"


def problems(read, text, folder, environment=None):
    with pytest.raises(ConfigurationError) as caught:
        read(text, environment or {}, folder)
    return [(one.line, one.column, f"{one.text} ({one.hint})") for one in caught.value.problems]


def test_a_model_whose_labels_speak_for_themselves_needs_only_its_path(read, tmp_path):
    write_network(tmp_path / "model", ("Negative", "Neutral", "Positive"))
    settings = read(SMALL, {}, tmp_path)
    assert settings.transformer.labels == (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
    assert settings.transformer.model == tmp_path / "model/model.onnx"
    assert settings.transformer.timeout == timedelta(seconds=10)
    assert settings.warnings == ()


def test_the_service_is_built_with_the_model_of_the_configuration(read, tmp_path):
    write_network(tmp_path / "model", ("LABEL_0", "LABEL_1", "LABEL_2"))
    block = "{path: model, timeout: 5m, labels: {LABEL_0: positive, LABEL_1: neutral, LABEL_2: negative}}"
    settings = read(SMALL.replace("{path: model}", block), {}, tmp_path)
    assert settings.transformer.labels == (Label.POSITIVE, Label.NEUTRAL, Label.NEGATIVE)
    judge = wiring.build_classifier(settings, settings.brand)
    assert (judge.name, judge.brand) == ("transformer", "Nordfunk")
    assert len(judge.version.split("+")) == 2


def test_every_label_without_a_meaning_and_every_meaning_without_a_label_is_told(read, tmp_path):
    write_network(tmp_path / "model", ("LABEL_0", "LABEL_1", "positive"))
    text = SMALL.replace("{path: model}", "\n  path: model\n  labels:\n    LABEL_0: negative\n    LABEL_9: neutral")
    unclear, unknown = problems(read, text, tmp_path)
    assert unknown[:2] == (7, 5)
    assert unknown[2].startswith('unknown label "LABEL_9" (did you mean "LABEL_')
    assert unclear[:2] == (5, 3)
    assert unclear[2] == ('the model\'s label "LABEL_1" has no meaning (write LABEL_1: negative, neutral or positive)')


def test_a_meaning_that_is_none_and_an_unknown_key_are_told(read, tmp_path):
    write_network(tmp_path / "model")
    text = SMALL.replace("{path: model}", "{path: model, labels: {positive: angry}, download: true}")
    told = " ".join(text for _, _, text in problems(read, text, tmp_path))
    assert 'transformer.labels.positive: expected "negative", "neutral" or "positive", found the text "angry"' in told
    assert 'unknown key "download"' in told


def test_a_model_that_knows_nothing_negative_is_refused(read, tmp_path):
    write_network(tmp_path / "model", ("neutral", "positive"))
    ((_, _, text),) = problems(read, SMALL, tmp_path)
    assert "none of the model's labels is negative" in text


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_missing_file_is_told_at_the_path(read, tmp_path, file):
    (write_network(tmp_path / "model") / file).unlink()
    ((line, column, text),) = problems(read, SMALL, tmp_path)
    assert (line, column) == (3, 21)
    assert file in text


def test_safetensors_alone_are_told_with_the_command_that_exports_them(read, tmp_path):
    folder = write_network(tmp_path / "model")
    (folder / "model.onnx").rename(folder / "model.safetensors")
    ((line, column, text),) = problems(read, SMALL, tmp_path)
    assert (line, column) == (3, 21)
    assert f"optimum-cli export onnx --model {folder.as_posix()} " in text


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"id2label": {"1": "negative"}}', "[" * 100_000, '{"id2label": 3}']
)
def test_a_config_that_names_no_labels_is_told_at_the_path(read, tmp_path, content):
    (write_network(tmp_path / "model") / "config.json").write_text(content)
    assert [text for _, _, text in problems(read, SMALL, tmp_path) if "holds no id2label" in text]


def test_a_name_of_the_hub_is_found_in_the_cache_of_this_machine_only(read, tmp_path):
    text = SMALL.replace("path: model", "path: someone/tiny-judge")
    ((line, _, told),) = problems(read, text, tmp_path, {"HF_HOME": str(tmp_path / "home")})
    assert line == 3
    assert "nothing is downloaded" in told
    cached = tmp_path / "home/hub/models--someone--tiny-judge"
    write_network(cached / "snapshots" / REVISION)
    (cached / "refs").mkdir()
    (cached / "refs/main").write_text(REVISION)
    settings = read(text, {"HF_HOME": str(tmp_path / "home")}, tmp_path)
    assert settings.transformer.model == cached / "snapshots" / REVISION / "model.onnx"
    (cached / "refs/main").write_text("../../..")
    assert len(problems(read, text, tmp_path, {"HF_HOME": str(tmp_path / "home")})) == 1


def test_the_classifier_needs_the_block_and_the_block_without_it_is_warned_of(read, tmp_path):
    ((line, column, text),) = problems(read, SMALL.replace("transformer: {path: model}\n", ""), tmp_path)
    assert (line, column) == (2, 13)
    assert "transformer: {path: DIRECTORY}" in text
    write_network(tmp_path / "model")
    settings = read(SMALL.replace("classifier: transformer\n", ""), {}, tmp_path)
    assert settings.transformer is None
    assert ["the model is not used" in str(one) for one in settings.warnings] == [True]


def test_no_time_at_all_is_refused(read, tmp_path):
    write_network(tmp_path / "model")
    told = problems(read, SMALL.replace("{path: model}", "{path: model, timeout: 0s}"), tmp_path)
    assert [text for _, _, text in told if "leaves no time" in text]
