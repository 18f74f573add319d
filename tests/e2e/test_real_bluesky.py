"""A real Bluesky in small (@atproto/dev-env): every post is found once, deletions are followed. `make e2e-all`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brandmelder import wiring
from brandmelder.capture.bluesky_api import Bluesky
from e2e.real_server import SOURCE, opted_in, reading, wait
from peers import bluesky

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def network():
    opted_in()
    missing = bluesky.missing()
    if missing:
        pytest.fail(f"make e2e-all did not bring {', '.join(missing)}")
    if not bluesky.is_alone():
        pytest.fail("its servers listen on all interfaces: it is started in a network namespace only (make e2e-all)")
    with bluesky.DevEnv() as started:
        yield started


def written(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


async def test_every_post_is_found_once_and_a_deleted_one_is_let_go(network):
    mia, ben, asking = network.join("mia"), network.join("ben"), network.join("nordfunk-liest")
    now, posts = datetime.now(UTC), {}
    for number in range(60):
        person, at = (mia, ben)[number % 2], now - timedelta(minutes=61 - number)
        # In small letters: unlike the network's, this search tells them apart.
        posts[person.write(f"nordfunk hat Störung {number}", written(at))] = person
        if number % 10 == 0:
            person.write(f"etwas anderes {number}", written(at))
    wait(lambda: all(network.knows(uri) for uri in list(posts)[-3:]), "the network's view does not catch up")

    block = f'type: bluesky, handle: {asking.handle}, app_password: "${{SECRET}}", url: "{network.url}"'
    async with reading(block, asking.app_password()) as read:
        assert set(await read.poll()) == set(posts)
        late = mia.write("nordfunk, noch eine", written(datetime.now(UTC)))
        wait(lambda: network.knows(late), "the network's view does not catch up")
        found = await read.poll()
        assert set(found) == {*posts, late}
        assert found[late].url == f"https://bsky.app/profile/{mia.did}/post/{late.rpartition('/')[2]}"

        deleted = list(posts)[7]
        posts[deleted].delete(deleted)
        wait(lambda: not network.knows(deleted), "the network's view does not catch up")
        assert await read.gone([deleted, late]) == {deleted}


async def test_what_the_stream_asks_besides_is_answered_without_an_account(network):
    mia = network.join("mia-zwei")
    uri = mia.write("nordfunk?", written(datetime.now(UTC)))
    wait(lambda: network.knows(uri), "the network's view does not catch up")
    reach = wiring.outside()
    try:
        asked = Bluesky(SOURCE, network.view, None, reach.tools(SOURCE, allow_private=True).fetch)
        (profile,) = await asked.profiles([mia.did], datetime.now(UTC))
        assert (profile.did, profile.handle) == (mia.did, mia.handle)
        (post,) = await asked.posts([uri], datetime.now(UTC))
        assert (post.uri, post.record.text) == (uri, "nordfunk?")
    finally:
        await reach.close()
