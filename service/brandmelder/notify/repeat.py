"""An alert that may stand there twice says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from brandmelder.model import Delivery
    from brandmelder.notify.message import Message

_SAID = {
    "de": "Möglicherweise doppelt: Ob diese Meldung schon einmal ankam, ließ sich nicht nachsehen.",
    "en": "Possible repeat: whether this alert arrived before could not be looked up.",
}


def marked(message: Message, delivery: Delivery) -> Message:
    """Return the message with a word that it may be a repeat, if it was sent again without a look."""
    if not delivery.possible_repeat:
        return message
    return replace(message, honest=(_SAID.get(message.language, _SAID["en"]), *message.honest))
