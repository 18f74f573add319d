"""A real NodeBB: every post is found once, deletions are followed. `make e2e-all` with NODEBB."""

from __future__ import annotations

import pytest

from e2e.real_server import opted_in, reading
from peers import nodebb

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def forum():
    opted_in()
    if not nodebb.checkout():
        pytest.skip("NODEBB names no checkout of NodeBB 4 (CONTRIBUTING.md)")
    with nodebb.NodeBb() as started:
        yield started


async def test_every_post_is_found_once_and_a_deleted_one_is_let_go(forum):
    topic = forum.open("Nordfunk", "nordfunk hat eine Störung")
    posts = [str(forum.reply(topic, f"nordfunk hat Störung {number}")) for number in range(45)]
    async with reading(f'type: nodebb, class: forum, url: "{forum.url}"') as read:
        assert set(posts) <= set(await read.poll())
        late = str(forum.reply(topic, "nordfunk, noch eine"))
        assert {*posts, late} <= set(await read.poll())
        forum.delete(int(posts[7]))
        assert await read.gone([posts[7], late]) == {posts[7]}
