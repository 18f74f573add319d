"""A model of the operator's own: its probabilities in place of the default judge's, all else as that one says it.

The network runs one text at a time: rows padded to a common length change the last digits of one another, and a verdict
may not depend on what else was judged with it. Equal texts are run once. What it has not judged in time, or cannot
judge, keeps the verdict of the default judge, marked as that one's. Decision 0036.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import structlog
from msgspec.structs import replace

from brandmelder.classify import adapt
from brandmelder.classify.language import UNDETERMINED
from brandmelder.classify.linear import LinearClassifier, load, softmax, stance_of
from brandmelder.errors import to_have
from brandmelder.model import Label, Stance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from numpy.typing import NDArray

    from brandmelder.classify.adapt import Correction
    from brandmelder.model import Mention, Verdict

log = structlog.get_logger()

CHARACTERS: Final = 600
"""How much of a text is read, as much as the default judge reads."""
TOKENS: Final = 256
LATE: Final = "longer than its timeout"
INSTALL: Final = to_have("transformer")

_CLASSES: Final = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
_LEAST: Final = 1e-6
_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})


class Network:
    """A network with its tokenizer, from files of a directory. Nothing is downloaded, no code of the model is run."""

    def __init__(self, model: Path, tokenizer: Path, labels: Sequence[Label]) -> None:
        import onnxruntime  # noqa: PLC0415 - only who configures it pays for it
        import tokenizers  # noqa: PLC0415 - likewise

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        # Idle threads would spin and take the processor from everything else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.deadline = onnxruntime.RunOptions
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = [one.name for one in self._session.get_inputs()]
        if not _INPUTS.issuperset(self._inputs):
            raise ValueError(f"the model wants {', '.join(self._inputs)}; only {', '.join(sorted(_INPUTS))} are given")
        self._tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=_places(tokenizer.with_name("config.json")))
        self._labels = tuple(labels)
        self.score("ok", self.deadline())
        parts = [hashlib.sha256(file.read_bytes()).digest() for file in (model, tokenizer)]
        self.version = hashlib.sha256(b"".join(parts) + ",".join(self._labels).encode()).hexdigest()[:12]

    def score(self, text: str, deadline: Any) -> NDArray[np.float64] | None:
        """Return P(negative), P(neutral), P(positive); None of a text without a token. Raises what the network does."""
        plain = text[:CHARACTERS].encode("utf-8", "replace").decode()
        read = self._tokenizer.encode(plain)
        if not read.ids:
            return None
        given = {"input_ids": read.ids, "attention_mask": read.attention_mask, "token_type_ids": read.type_ids}
        feed = {name: np.array([given[name]], np.int64) for name in self._inputs}
        logits = np.asarray(self._session.run(None, feed, deadline)[0], np.float64)
        if logits.shape != (1, len(self._labels)) or not np.isfinite(logits).all():
            raise ValueError(
                f"the model answers in the shape {logits.shape}; {len(self._labels)} finite logits are due"
            )
        shares = softmax(logits)[0]
        return np.array([sum(shares[at] for at, one in enumerate(self._labels) if one is label) for label in _CLASSES])


class TransformerClassifier:
    """Judges German and English by a network, what it leaves out by the default judge.

    Never raises for the sake of the network: why it is not heard is logged once, until it works again.
    """

    name = "transformer"
    is_quick = False

    def __init__(
        self, brand: str, *, model: Path, tokenizer: Path, labels: Sequence[Label], timeout: timedelta
    ) -> None:
        self.brand, self._timeout = brand, timeout
        self._linear = self._taught = LinearClassifier(brand)
        self._is_told = False
        self._network: Network | None = None
        try:
            self._network = Network(model, tokenizer, labels)
        except ImportError:
            log.warning("transformer.not_installed", remedy=INSTALL, judged_by=self._linear.name)
        except Exception as error:  # noqa: BLE001 - tokenizers and onnxruntime raise plain exceptions
            log.warning("transformer.unusable", file=str(model), reason=_short(error), judged_by=self._linear.name)

    @property
    def version(self) -> str:
        """Name the network, the default judge and what staff taught both."""
        return "+".join([self._taught.version, self._network.version] if self._network else [self._linear.version])

    def classify(self, mentions: Sequence[Mention]) -> tuple[Verdict, ...]:
        """Return one verdict per mention, in order; never raises on any text."""
        found = self._linear.classify(mentions)
        heads = [self._linear.language_of(one.text, one.language)[0] for one in mentions]
        texts = {one.text: None for one, head in zip(mentions, heads, strict=True) if head != UNDETERMINED}
        scores = self._scores(list(texts))
        return tuple(
            self._replaced(verdict, head, one.text, scores[one.text]) if one.text in scores else verdict
            for one, head, verdict in zip(mentions, heads, found, strict=True)
        )

    def learn(
        self,
        corrections: Mapping[str, Correction],
        texts: Sequence[str],
        labels: Sequence[bool],
        *,
        random: Sequence[bool],
    ) -> None:
        """Take what staff taught the default judge, and learn from the same labels how to correct the network."""
        self._linear = LinearClassifier(self.brand, corrections=corrections)
        known = self._scores(texts, is_limited=False) if self._network is not None else {}
        rows = [row for row, text in enumerate(texts) if text in known]
        examples = self._linear.examples(
            [texts[row] for row in rows],
            [labels[row] for row in rows],
            random=[random[row] for row in rows],
            scores=[_log_odds(float(known[texts[row]][0])) for row in rows],
        )
        learnt = {key: one for key, ones in examples.items() if (one := adapt.learn(ones)) is not None}
        self._taught = LinearClassifier(self.brand, corrections=learnt)

    def _replaced(self, verdict: Verdict, head: str, text: str, shares: NDArray[np.float64]) -> Verdict:
        base = np.array([_log_odds(float(shares[0]))])
        negative = round(float(self._taught.corrected(head, text, base)[0]), 6)
        neutral = round(float(shares[1] / max(_LEAST, shares[1] + shares[2])) * (1 - negative), 6)
        chances = (negative, neutral, max(0.0, round(1 - negative - neutral, 6)))
        label = _CLASSES[int(np.argmax(chances))]
        # A text that takes the brand's side does so whatever its tone is called.
        defends = verdict.stance is Stance.DEFENDER and verdict.label is not Label.POSITIVE
        return replace(
            verdict,
            p_negative=chances[0],
            p_neutral=chances[1],
            p_positive=chances[2],
            label=label,
            unsure=abs(negative - 0.5) < load().heads[head].unsure_band,
            stance=stance_of(label, negative, defends=defends),
            reasons=verdict.reasons if label is verdict.label else (),
            classifier=self.name,
            model_version=self.version,
        )

    def _scores(self, texts: Sequence[str], *, is_limited: bool = True) -> dict[str, NDArray[np.float64]]:
        """Return what the network says of each text, as far as it came in time."""
        out: dict[str, NDArray[np.float64]] = {}
        if self._network is None or not texts:
            return out
        deadline = self._network.deadline()
        timer = threading.Timer(self._timeout.total_seconds(), setattr, (deadline, "terminate", True))
        timer.daemon = True
        if is_limited:
            timer.start()
        reason = ""
        for text in dict.fromkeys(texts):
            if deadline.terminate:
                reason = LATE
                break
            try:
                shares = self._network.score(text, deadline)
            except Exception as error:  # noqa: BLE001 - tokenizers and onnxruntime raise plain exceptions
                reason = LATE if deadline.terminate else _short(error)
                continue
            if shares is not None:
                out[text] = shares
        timer.cancel()
        self._tell(reason, judged=len(out), asked=len(texts))
        return out

    def _tell(self, reason: str, *, judged: int, asked: int) -> None:
        if reason and not self._is_told:
            log.warning("transformer.unheard", reason=reason, judged=judged, asked=asked, rest_by=self._linear.name)
        elif self._is_told and not reason:
            log.info("transformer.heard_again")
        self._is_told = bool(reason)


def _places(config: Path) -> int:
    """Return how many tokens a model reads; some families begin to count their places at two."""
    places = msgspec.json.decode(config.read_bytes()).get("max_position_embeddings") or TOKENS + 2
    return max(1, min(TOKENS, int(places) - 2))


def _log_odds(chance: float) -> float:
    inside = min(max(chance, _LEAST), 1 - _LEAST)
    return float(np.log(inside / (1 - inside)))


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".split("\n", 1)[0][:200]
