"""What every page works with: the pipeline's parts, the configuration, the clock, and who may sign in how."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from brandmelder.web.bands import Bands
from brandmelder.web.chain import Chain
from brandmelder.web.lines import Lines
from brandmelder.web.live import Pulse
from brandmelder.web.passwords import Weighing
from brandmelder.web.rates import Proven, Rates
from brandmelder.web.shared import Shared
from brandmelder.web.would import Would

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from brandmelder.notify.notifier import Exchange
    from brandmelder.pipeline.parts import Parts
    from brandmelder.settings import Settings
    from brandmelder.settings.web import WebSettings


def _unheard() -> None:
    """Nobody sends what was promised meanwhile: a test or a replay looks by itself."""


@dataclass(kw_only=True)
class Site:
    """One page, ready to serve."""

    parts: Parts
    settings: Settings
    web: WebSettings
    now: Callable[[], datetime]
    wake: Callable[[], None] = _unheard
    """Have what was promised meanwhile told at once."""
    exchange: Exchange | None = None
    """How a provider of sign-ins is asked; None where none is configured."""
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    """Signs what a browser keeps until somebody signs in; a restart asks for a new page."""
    rates: Rates = field(default_factory=Rates)
    tries: Rates = field(default_factory=Rates)
    """Those of names; apart, so that whoever asks under ever new addresses has no name's tries forgotten."""
    proven: Proven = field(default_factory=Proven)
    weighing: Weighing = field(default_factory=Weighing)
    bands: Bands = field(default_factory=Bands)
    chain: Chain = field(default_factory=Chain)
    lines: Lines = field(default_factory=Lines)
    would: Would = field(default_factory=Would)
    shared: Shared = field(default_factory=Shared)
    pulse: Pulse = field(default_factory=Pulse)
    """Tells viewers that something changed."""

    def sign(self, purpose: str, text: str) -> str:
        """Return a signature of a text for one purpose."""
        return hmac.new(self.key, f"{purpose}\n{text}".encode("utf-8", "replace"), "sha256").hexdigest()
