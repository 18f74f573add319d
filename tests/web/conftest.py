import asyncio
import shutil

import pytest

from web.house import House, built


@pytest.fixture(scope="session")
def evening(tmp_path_factory):
    """Return the database of an evening on which a storm has been going on for 47 minutes."""
    path = tmp_path_factory.mktemp("evening") / "brandmelder.db"
    asyncio.run(_build(path))
    return path


async def _build(path):
    world = await built(path, 47)
    world.database.close()


@pytest.fixture
def evening_copy(evening, tmp_path):
    """Return a copy of that evening's database, to be changed."""
    path = tmp_path / "brandmelder.db"
    for name in ("", "-wal", "-shm", ".key"):
        if evening.with_name(evening.name + name).exists():
            shutil.copy(evening.with_name(evening.name + name), f"{path}{name}")
    return path


@pytest.fixture
def house(evening_copy):
    """Return a page over a copy of that evening; Anna may act, Vera may look, Paula looks after people's data."""
    with House(evening_copy) as found:
        yield found
