"""What follows an evaluation, in one transaction: shared alerts, storms of alerts, snoozes that end, our progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.notify.flood import WITHIN
from brandmelder.pipeline.apart import SOON, Apart
from brandmelder.pipeline.duty import Scene
from brandmelder.pipeline.flood import gather_openings
from brandmelder.pipeline.shelter import shelter
from brandmelder.pipeline.wake import wake
from brandmelder.store import incidents, meta

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts


def follow_up(connection: Connection, parts: Parts, now: datetime, *, has_progressed: bool) -> datetime | None:
    """Tidy up among the incidents that run or began lately; returns when to do so again, None if nothing is to come.

    `has_progressed` has it written down that the chain got through.
    """
    if has_progressed:
        meta.progressed(connection, now)
    if not incidents.has_any(connection, since=now - WITHIN):
        return None
    scene, apart = Scene(connection, parts, now), Apart(connection, parts)
    shelter(scene, apart)
    gather_openings(scene, apart)
    ends = wake(scene, apart)
    return min(ends or now + SOON, now + SOON) if apart.has_stumbled else ends
