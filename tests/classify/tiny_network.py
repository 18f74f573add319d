"""A network of one layer with its tokenizer, written as the exporters of large ones write theirs: real files, real
inference. Every word moves the logits of three labels; the word `endlos` keeps the network busy for hours, and it fails
on texts of more than PLACES words."""

from __future__ import annotations

import json

import numpy as np
import tokenizers
from onnx import TensorProto, helper, numpy_helper, save

WORDS = ("[UNK]", "ok", "gut", "schlecht", "mäßig", "endlos", "good", "bad", "der", "service", "ist")
MOVES = {"gut": (0, 0, 3), "good": (0, 0, 3), "schlecht": (3, 0, 0), "bad": (3, 0, 0), "mäßig": (0, 2.5, 0.7)}
ROUNDS = 1 << 40
PLACES = 64


def write_network(folder, names=("negative", "neutral", "positive"), places=PLACES + 2):
    """Write `model.onnx`, `tokenizer.json` and `config.json`, the outputs named as given."""
    folder.mkdir(parents=True, exist_ok=True)
    save(_model(len(names)), str(folder / "model.onnx"))
    _tokenizer().save(str(folder / "tokenizer.json"))
    said = {"id2label": {str(at): name for at, name in enumerate(names)}, "max_position_embeddings": places}
    (folder / "config.json").write_text(json.dumps(said))
    return folder


def _tokenizer():
    words = {word: number for number, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return tokenizer


def _model(outputs):
    table = np.zeros((len(WORDS), outputs), np.float32)
    for word, moves in MOVES.items():
        table[WORDS.index(word)] = moves[:outputs]
    rounds = np.zeros(len(WORDS), np.int64)
    rounds[WORDS.index("endlos")] = ROUNDS
    constants = {"table": table, "rounds": rounds, "one": np.array([1]), "two": np.array([2]), "go": np.array(True)}
    constants |= {"places": np.zeros((PLACES, 1), np.float32), "nought": np.array(0), "step": np.array(1)}
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Shape", ["input_ids"], ["length"], start=1, end=2),
        helper.make_node("Squeeze", ["length"], ["end"]),
        helper.make_node("Range", ["nought", "end", "step"], ["order"]),
        helper.make_node("Gather", ["places", "order"], ["placed"]),
        helper.make_node("Add", ["words", "placed"], ["moves"]),
        helper.make_node("Cast", ["attention_mask"], ["seen"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["seen", "two"], ["shown"]),
        helper.make_node("Mul", ["moves", "shown"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "one"], ["sums"], keepdims=0),
        helper.make_node("Gather", ["rounds", "input_ids"], ["each"]),
        helper.make_node("ReduceSum", ["each"], ["trips"], keepdims=0),
        helper.make_node("Loop", ["trips", "go", "sums"], ["logits"], body=_round(outputs)),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    answers = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", outputs])]
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, answers, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _round(outputs):
    """Return the body of the loop, which changes nothing."""
    shape = ["batch", outputs]
    return helper.make_graph(
        [helper.make_node("Identity", ["on"], ["still"]), helper.make_node("Identity", ["old"], ["new"])],
        "round",
        [
            helper.make_tensor_value_info("at", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("old", TensorProto.FLOAT, shape),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("new", TensorProto.FLOAT, shape),
        ],
    )
