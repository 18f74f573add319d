"""The faces of Reddit, Mastodon, Bluesky, X, Discourse and Telegram against the clients that people use."""

from __future__ import annotations

import asyncio
import typing
from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.demo.storm.posts import Channel

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


async def test_reddits_usual_client_reads_every_post_and_comment(client_of, telling):
    praw = client_of("asyncpraw")
    async with telling(Channel.REDDIT) as server:
        place, found = f"{server.url}/reddit", {}
        pair = {"client_id": "token", "client_secret": "token", "user_agent": "test:storm:1 (by /u/storm)"}
        async with praw.Reddit(**pair, reddit_url=place, oauth_url=f"{place}/", check_for_updates=False) as reddit:
            subreddit = await reddit.subreddit("nordfunk")
            async for one in subreddit.new(limit=None):
                found[one.fullname] = (one.title, one.selftext, one.author and one.author.name, one.created_utc)
            async for one in subreddit.comments(limit=None):
                found[one.fullname] = (one.body, "", one.author and one.author.name, one.created_utc)
            shown = {ident: told for ident, told in found.items() if "[deleted]" not in told[:2]}
            now = server.clock.now()
            assert shown == {
                ident: (post.text_at(now), "", post.author, post.at.timestamp()) for ident, post in server.due.items()
            }
            assert len(found) > len(shown), "what was taken away keeps its place"
            assert {told[2] for told in found.values() if "[deleted]" in told[:2]} == {None}
            names = list(server.due)[:100]
            assert [one.fullname async for one in reddit.info(fullnames=names)] == names
            limits = reddit.auth.limits
            assert limits["remaining"] == 1_000 - limits["used"]


LATER = {"show_media", "show_media_replies", "show_featured", "feature_approval"}
"""What came to accounts after the version that the face speaks, 4.5."""


def _whole(kind, told):
    """Refuse an entity that lacks what its type says is always there, or holds a value of another type."""
    for name, wanted in typing.get_type_hints(kind).items():
        optional = type(None) in typing.get_args(wanted)
        if name.startswith("_") or name in LATER or (optional and name not in told):
            continue
        assert name in told, f"{kind.__name__} lacks {name}"
        plain = {str: str, bool: bool, int: int, datetime: datetime}.get(wanted)
        assert plain is None or isinstance(told[name], plain), (kind.__name__, name, told[name])


async def test_mastodons_usual_client_reads_every_status(client_of, telling):
    mastodon, types = client_of("mastodon"), client_of("mastodon.return_types")
    async with telling(Channel.MASTODON) as server:
        client = mastodon.Mastodon(api_base_url=f"{server.url}/mastodon", version_check_mode="none")

        def read():
            page, found = client.timeline_hashtag("nordfunk", limit=40), {}
            while page:
                for one in page:
                    _whole(types.Status, one)
                    _whole(types.Account, one.account)
                found |= {str(one.id): one for one in page}
                page = client.fetch_next(page)
            return found

        found, now = await asyncio.to_thread(read), server.clock.now()
        assert {ident: (one.content, one.created_at, one.edited_at) for ident, one in found.items()} == {
            ident: (f"<p>{post.text_at(now)}</p>", post.at, post.edited_at(now)) for ident, post in server.due.items()
        }
        oldest = sorted(found, key=int)

        def forward():
            return client.timeline_hashtag("nordfunk", limit=40, min_id=oldest[0])

        assert [str(one.id) for one in await asyncio.to_thread(forward)] == oldest[40:0:-1]

        def missing():
            with pytest.raises(mastodon.MastodonNotFoundError):
                client.status("1")

        await asyncio.to_thread(missing)


async def test_blueskys_own_models_accept_every_answer(client_of, telling):
    atproto = client_of("atproto")
    async with telling(Channel.BLUESKY) as server:
        client = atproto.AsyncClient(base_url=f"{server.url}/bluesky/xrpc")
        session = await client.com.atproto.server.create_session({"identifier": "nf.example.com", "password": "token"})
        headers, found, cursor = {"Authorization": f"Bearer {session.access_jwt}"}, {}, None
        while True:
            asked = {"q": "nordfunk", "limit": 100, "sort": "latest"} | ({"cursor": cursor} if cursor else {})
            page = await client.app.bsky.feed.search_posts(asked, headers=headers)
            found |= {one.uri: one.record.text for one in page.posts}
            cursor = page.cursor
            if cursor is None:
                break
        now = server.clock.now()
        assert found == {ident: post.text_at(now) for ident, post in server.due.items()}
        some = list(found)[:25]
        again = await client.app.bsky.feed.get_posts({"uris": some}, headers=headers)
        assert {one.uri for one in again.posts} == set(some)
        await client.request.close()


def _strange(told):
    """Return the fields that X's library did not know: it keeps them beside those it knows."""
    found = {f"{type(told).__name__}.{name}" for name in told.model_extra or ()}
    for name in type(told).model_fields:
        value = getattr(told, name)
        for one in value if isinstance(value, list) else [value]:
            if hasattr(one, "model_fields_set"):
                found |= _strange(one)
    return found


async def test_xs_own_client_reads_every_post_and_their_number(client_of, telling):
    xdk = client_of("xdk")
    async with telling(Channel.X) as server:
        client = xdk.Client(base_url=f"{server.url}/x", bearer_token="token")
        until = server.clock.now() - timedelta(seconds=10)
        span = {
            "start_time": f"{until - timedelta(days=6):%Y-%m-%dT%H:%M:%SZ}", "end_time": f"{until:%Y-%m-%dT%H:%M:%SZ}"
        }  # fmt: skip

        def read():
            wanted = {"post_fields": ["created_at", "author_id", "lang"], "expansions": ["author_id"]}
            pages = list(client.posts.search_recent("nordfunk", max_results=100, **span, **wanted))
            counts = list(client.posts.get_counts_recent("nordfunk", granularity="hour", **span))
            one = client.posts.get_by_ids(ids=["1", pages[0].data[0].id])
            return pages, counts, one

        pages, counts, one = await asyncio.to_thread(read)
        posts = [post for page in pages for post in page.data]
        due = {ident: post for ident, post in server.due.items() if post.at < until}
        assert {post.edit_history_post_ids[0]: post.text for post in posts} == {
            ident: post.text_at(server.clock.now()) for ident, post in due.items()
        }
        assert sum(page.meta.total_post_count for page in counts) == len(due)
        assert sum(row.post_count for page in counts for row in page.data) == len(due)
        assert (len(one.data), len(one.errors)) == (1, 1)
        assert set().union(*(_strange(told) for told in (*pages, *counts, one))) == set()


async def test_discourses_usual_client_reads_the_latest_posts(client_of, telling):
    pydiscourse = client_of("pydiscourse")
    async with telling(Channel.DISCOURSE) as server:
        client = pydiscourse.DiscourseClient(f"{server.url}/discourse", api_username="nf", api_key="token")

        def read():
            found, below = {}, None
            while True:
                page = client._get("/posts.json", **({"before": below} if below else {}))["latest_posts"]
                if not page:
                    return found
                found |= {str(one["id"]): one for one in page}
                below = min(one["id"] for one in page)

        found, now = await asyncio.to_thread(read), server.clock.now()
        assert {ident: one["raw"] for ident, one in found.items()} == {
            ident: post.text_at(now) for ident, post in server.due.items()
        }
        first = next(iter(server.due))
        assert (await asyncio.to_thread(client.post_by_id, first))["id"] == int(first)

        def missing():
            with pytest.raises(client_of("pydiscourse.exceptions").DiscourseClientError, match="not be found"):
                client.post_by_id(99_999)

        await asyncio.to_thread(missing)
        assert datetime.fromisoformat(found[first]["created_at"]).tzinfo == UTC


async def test_telegrams_usual_client_hears_every_message_and_change(client_of, telling):
    telegram, failures = client_of("telegram"), client_of("telegram.error")
    async with telling(Channel.TELEGRAM) as server:
        place, found, offset = f"{server.url}/telegram/bot", {}, None
        async with telegram.Bot("token", base_url=place) as bot:
            while updates := await bot.get_updates(offset=offset, limit=100, timeout=0):
                for one in updates:
                    assert not one.api_kwargs, "what the library does not know, Telegram does not say"
                    said = one.effective_message
                    assert not said.api_kwargs
                    found[f"{said.chat.id}:{said.message_id}"] = (said.text, said.from_user.username, said.date)
                offset = updates[-1].update_id + 1
        now = server.clock.now()
        heard = {ident: post for ident, post in server.due.items() if post.at >= now - timedelta(hours=24)}
        assert {ident: found.get(ident) for ident in heard} == {
            ident: (post.text_at(now), post.author, post.at) for ident, post in heard.items()
        }
        stranger = telegram.Bot("another", base_url=place)
        with pytest.raises(failures.InvalidToken):
            await stranger.initialize()
        for one in stranger._request:
            await one.shutdown()
