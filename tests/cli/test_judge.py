"""The judge as a filter: JSON lines in, JSON lines out, in the same order; and what it is taught."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from brandmelder.cli.judge import judge
from brandmelder.cli.label import label
from brandmelder.errors import InputError
from classify.tiny_network import write_network

KEYS = {
    "id", "language", "p_negative", "p_neutral", "p_positive", "label", "stance", "insult", "topics", "why",
}  # fmt: skip


def run(command, *arguments, text=None):
    result = CliRunner().invoke(command, arguments, input=text)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_every_line_is_answered_in_order():
    given = [{"id": f"m{i}", "text": text} for i, text in enumerate(["Zug fällt aus 😡", "", "Thanks!", "..."])]
    answers = [json.loads(line) for line in run(judge, text=lines(*given)).splitlines()]
    assert [answer["id"] for answer in answers] == ["m0", "m1", "m2", "m3"]
    assert all(set(answer) == KEYS for answer in answers)
    assert answers[0]["label"] == "negative"
    assert {answer["label"] for answer in answers} <= {"negative", "neutral", "positive", "unsure"}


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_byte_order_mark_before_the_first_line_is_no_mistake(end):
    result = CliRunner().invoke(judge, [], input=b"\xef\xbb\xbf" + b'{"text": "Zug faellt aus"}' + end.encode())
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["id"] == 1


def test_a_line_without_id_is_named_by_its_number():
    (answer,) = map(json.loads, run(judge, text="\n" + lines({"text": "Hallo", "monitor": "acme"})).splitlines())
    assert answer["id"] == 2
    assert set(answer) == KEYS


def test_a_bad_line_is_named_and_the_others_are_judged(tmp_path):
    file = tmp_path / "in.jsonl"
    content = lines({"text": "gut"}, {"txt": "schlecht"}) + '{"text": "\n' + lines({"text": "Zug fällt aus", "id": "z"})
    file.write_bytes(content.encode() + b'{"text": "\xff"}\n[]')
    result = CliRunner().invoke(judge, [str(file)])
    assert result.exit_code == 2
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == [1, "z"]
    named = [line.partition(": ")[0].rpartition("in.jsonl:")[2] for line in result.stderr.splitlines()]
    assert named == ["2", "3", "5", "6"]
    assert "missing required field `text`" in result.stderr


def test_answers_come_as_soon_as_lines_are_there():
    process = subprocess.Popen(
        [sys.executable, "-m", "brandmelder", "judge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        for text in ("Zug fällt aus", "Danke!"):
            process.stdin.write(lines({"text": text}).encode())
            process.stdin.flush()
            assert set(json.loads(process.stdout.readline())) == KEYS
        process.stdin.write(b'{"text": "ohne Zeilenende"}')
        process.stdin.close()
        assert json.loads(process.stdout.readline())["id"] == 3
    assert process.returncode == 0


def test_thousands_of_lines_keep_their_order_whatever_portions_they_come_in(monkeypatch):
    given = [{"id": number, "text": f"Beitrag {number} {'😡' * (number % 3)}"} for number in range(3000)]
    whole = run(judge, text=lines(*given))
    monkeypatch.setattr("brandmelder.cli.judge.PORTION", 997)
    assert run(judge, text=lines(*given)) == whole
    assert [json.loads(line)["id"] for line in whole.splitlines()] == list(range(3000))


CONFIG = """
brand: Nordfunk
topics: {router: [router]}
incidents_are_negative: true
sources:
  blog: {type: feed, url: "https://blog.example/feed"}
monitors:
  spot: {query: nordfunk, topics: {music: [jingle]}}
channels:
  console: {type: console}
alerts:
  - {to: [console]}
"""


def test_a_configuration_brings_its_topics_and_what_it_thinks_of_incidents(tmp_path):
    config = tmp_path / "brandmelder.yaml"
    config.write_text(CONFIG, "utf-8")
    given = lines(
        {"text": "Der Router und der Jingle"},
        {"text": "Der Router und der Jingle", "monitor": "spot"},
        {"text": "Seit acht Uhr Störung in Kiel"},
    )
    plain = [json.loads(line) for line in run(judge, text=given).splitlines()]
    answers = [json.loads(line) for line in run(judge, "--config", str(config), text=given).splitlines()]
    assert "router" in answers[0]["topics"]
    assert "music" not in answers[0]["topics"]
    assert {"router", "music"} <= set(answers[1]["topics"])
    assert answers[2]["p_negative"] > plain[2]["p_negative"]


def test_explaining_shows_no_control_characters():
    told = run(judge, "--explain", text=lines({"text": "Saftladen \x1b[31m \u202eböse"}))
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "because of" in told


def test_labels_teach_and_what_they_taught_is_used(tmp_path):
    rows = []
    for number in range(60):
        rows.append({"text": f"Der Kringel {number} ist heute wieder in der Post gewesen", "label": "negative"})
        rows.append({"text": f"Heute war Nummer {number} mit dem Bus in der Stadt unterwegs", "label": "neutral"})
    labels, taught = tmp_path / "labels.jsonl", tmp_path / "acme.json"
    labels.write_text(lines(*rows), "utf-8")
    report = run(label, str(labels), "--to", str(taught))
    assert "de: 120 labels" in report
    question = lines({"text": "Der Kringel ist heute schon wieder in der Post"})
    before = json.loads(run(judge, text=question))
    after = json.loads(run(judge, "--taught", str(taught), text=question))
    assert after["p_negative"] > before["p_negative"]


def test_too_few_labels_write_nothing(tmp_path):
    labels, taught = tmp_path / "labels.jsonl", tmp_path / "acme.json"
    labels.write_text(lines({"text": "Das ist der Text hier", "label": "negative"}), "utf-8")
    assert "nothing learnt" in run(label, str(labels), "--to", str(taught))
    assert not taught.exists()


def test_an_unknown_label_is_named(tmp_path):
    labels = tmp_path / "labels.jsonl"
    labels.write_text(lines({"text": "Das ist der Text hier", "label": "bad"}), "utf-8")
    with pytest.raises(InputError, match="write negative, neutral or positive"):
        run(label, str(labels), "--to", str(tmp_path / "x.json"))


def test_what_was_learnt_for_another_model_is_refused(tmp_path):
    taught = tmp_path / "acme.json"
    taught.write_text(json.dumps({"model": "old", "corrections": {}}), "utf-8")
    with pytest.raises(InputError, match="another model"):
        run(judge, "--taught", str(taught), text=lines({"text": "x"}))


def test_labels_may_come_as_csv(tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text('text,label\n"Der Zug, der ist weg und kommt nicht",negative\n', "utf-8")
    assert "de: 1 labels" in run(label, str(labels), "--to", str(tmp_path / "x.json"))


def test_a_csv_without_its_columns_is_named(tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("post,label\nDer Zug,negative\n", "utf-8")
    with pytest.raises(InputError, match=r"labels\.csv:2: no `id` or `text`"):
        run(label, str(labels), "--to", str(tmp_path / "x.json"))


def test_a_model_of_ones_own_judges_and_its_troubles_stay_out_of_the_answers(tmp_path):
    write_network(tmp_path / "model")
    config = tmp_path / "brandmelder.yaml"
    config.write_text(f"classifier: transformer\ntransformer: {{path: model, timeout: 5m}}\n{CONFIG}", "utf-8")
    given = lines({"text": "Der Service ist schlecht"})
    asked = CliRunner().invoke(judge, ["--config", str(config)], input=given)
    assert json.loads(asked.stdout)["p_negative"] == pytest.approx(0.909443, abs=1e-5)
    assert asked.stderr == ""
    (tmp_path / "model/model.onnx").write_bytes(b"broken")
    asked = CliRunner().invoke(judge, ["--config", str(config)], input=given)
    assert json.loads(asked.stdout) == json.loads(run(judge, "--brand", "Nordfunk", text=given))
    assert "transformer.unusable" in asked.stderr
