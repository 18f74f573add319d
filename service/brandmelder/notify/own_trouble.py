"""What people are told when Brandmelder itself is not well: that alerts may not arrive, and who says more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.notify.bulletin import Trouble, rota_alarm
from brandmelder.notify.inert import inert

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.notify.bulletin import Reader
    from brandmelder.notify.message import Message

_HEADS = {"de": "{brand}: der Brandmelder selbst ist gestört", "en": "{brand}: Brandmelder itself is not well"}
_SENTENCES = {
    "de": """Seit {since} kam keine Probemeldung mehr durch die ganze Kette. Alarme können ausbleiben, bis das
behoben ist: bitte selbst nachsehen. Was zu tun ist, sagt `brandmelder doctor`.""",
    "en": """No test mention has come through the whole chain since {since}. Alerts may not arrive until that is
mended: please look for yourself. `brandmelder doctor` says what to do.""",
}


def own_trouble(ident: str, brand: str, since: datetime, reader: Reader) -> Message:
    """Return the notice that the chain is not to be trusted since a moment."""
    head, sentence = _HEADS[reader.language], " ".join(_SENTENCES[reader.language].split())
    said = Trouble(head.format(brand=inert(brand, 30)), sentence.format(since=inert(reader.voice.moment(since), 40)))
    return rota_alarm(ident, said, reader)
