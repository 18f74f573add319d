"""A real server of Mastodon's API (GoToSocial): every post is found once, deletions are followed. `make e2e-all`."""

from __future__ import annotations

import pytest

from e2e.real_server import opted_in, reading
from peers import gotosocial

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server():
    opted_in()
    if not gotosocial.binary():
        pytest.skip("GOTOSOCIAL names no binary of GoToSocial 0.20 (CONTRIBUTING.md)")
    with gotosocial.GoToSocial(["mia", "ben"]) as started:
        yield started


async def test_every_post_is_found_once_and_a_deleted_one_is_let_go(server):
    tokens = [server.token(name) for name in ("mia", "ben")]
    posts = {}
    for number in range(100):
        token = tokens[number % 2]
        posts[server.write(token, f"#nordfunk hat Störung {number}")] = token
        if number % 10 == 0:
            server.write(token, f"etwas anderes {number}")
    block = f'type: mastodon, url: "{server.url}", tags: [nordfunk], token: "${{SECRET}}"'
    async with reading(block, tokens[0]) as read:
        assert set(await read.poll()) == set(posts)
        late = server.write(tokens[0], "#nordfunk, noch eine")
        assert set(await read.poll()) == {*posts, late}
        deleted = list(posts)[7]
        server.delete(posts[deleted], deleted)
        assert await read.gone([deleted, late]) == {deleted}
