from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.model import Mention, SourceId
from brandmelder.store.database import Database

NOON = datetime(2026, 12, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def database():
    database = Database("sqlite://")
    database.prepare()
    yield database
    database.close()


@pytest.fixture
def mention():
    def build(external_id="1", text="Nordfunk antwortet nicht", *, minutes=0, source="blog", **fields):
        at = NOON + timedelta(minutes=minutes)
        return Mention(
            source=SourceId(source),
            external_id=external_id,
            text=text,
            **({"published_at": at, "captured_at": at} | fields),
        )

    return build
