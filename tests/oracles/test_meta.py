"""Facebook's and Instagram's faces, and the fields we ask them for, against Meta's own library."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from brandmelder.capture.http import HttpClient
from brandmelder.capture.source import Tools
from brandmelder.capture.sources.facebook import FacebookOptions, FacebookSource
from brandmelder.capture.sources.instagram import InstagramOptions, InstagramSource
from brandmelder.demo.storm.faces.facebook import PAGE
from brandmelder.demo.storm.faces.graph import fields
from brandmelder.demo.storm.faces.instagram import ACCOUNT
from brandmelder.demo.storm.posts import Channel
from brandmelder.demo.storm.wire import Question
from brandmelder.model import SourceId
from brandmelder.options import Secret

ANSWERS = {"message", "text", "caption"}


def _api(client_of, server, channel):
    """Return Meta's client, asking the face: its address is an attribute of the session."""
    session = client_of("facebook_business.session").FacebookSession(access_token="token")
    session.GRAPH = f"{server.url}/{channel}"
    return client_of("facebook_business.api").FacebookAdsApi(session, api_version="v26.0")


def kinds(client_of):
    """Return by the last step of a path what Meta's library says of the fields of what is found there."""
    module = "facebook_business.adobjects"
    return {
        "feed": client_of(f"{module}.pagepost").PagePost,
        "comments": client_of(f"{module}.comment").Comment,
        "media": client_of(f"{module}.igmedia").IGMedia,
        "tags": client_of(f"{module}.igmedia").IGMedia,
        "ig comments": client_of(f"{module}.igcomment").IGComment,
        "page": client_of(f"{module}.page").Page,
        "account": client_of(f"{module}.iguser").IGUser,
    }


def check(kind, told):
    """Refuse a field that the library does not know of this kind of object, or a value of another type."""
    types = kind._field_types
    for name, value in told.items():
        if hasattr(kind, f"get_{name}"):  # an edge, expanded
            continue
        assert name in types, f"{kind.__name__} has no field {name}"
        wanted = types[name]
        if wanted in {"int", "unsigned int"}:
            assert isinstance(value, int), (name, value)
        elif wanted == "bool":
            assert isinstance(value, bool), (name, value)
        elif wanted == "datetime":
            assert datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z"), (name, value)
        elif wanted == "string":
            assert isinstance(value, str), (name, value)


def _read_page(client_of, api):
    """Return everything on the page as Meta's client reads it."""
    page = client_of("facebook_business.adobjects.page").Page(PAGE, api=api)
    known, found, parents = kinds(client_of), {}, {}
    wanted = ["id", "message", "story", "created_time", "permalink_url", "from"]
    for post in page.get_feed(fields=wanted, params={"limit": 30}):
        check(known["feed"], post.export_all_data())
        if "message" in post:
            found[post["id"]] = post["message"]
        below = ["id", "message", "created_time", "permalink_url", "from", "parent", "is_hidden"]
        asked = {"filter": "stream", "order": "reverse_chronological", "limit": 40}
        for comment in post.get_comments(fields=below, params=asked):
            told = comment.export_all_data()
            check(known["comments"], told)
            found[told["id"]] = told["message"]
            if "parent" in told:
                parents[told["id"]] = told["parent"]["id"]
    return found, parents


async def test_metas_client_reads_all_of_a_page(client_of, telling):
    async with telling(Channel.FACEBOOK) as server:
        found, parents = await asyncio.to_thread(_read_page, client_of, _api(client_of, server, "facebook"))
        now = server.clock.now()
        assert found == {ident: post.text_at(now) for ident, post in server.due.items()}
        assert parents
        assert set(parents.values()) <= set(found)


def _read_account(client_of, api):
    account = client_of("facebook_business.adobjects.iguser").IGUser(ACCOUNT, api=api)
    known, found = kinds(client_of), {}
    check(known["account"], account.api_get(fields=["username", "followers_count", "media_count"]).export_all_data())
    for post in account.get_tags(fields=["id", "caption", "permalink", "timestamp", "username"], params={"limit": 20}):
        check(known["tags"], post.export_all_data())
        found[f"post:{post['id']}"] = post["caption"]
    for media in account.get_media(fields=["id", "permalink", "timestamp", "comments_count"], params={"limit": 7}):
        check(known["media"], media.export_all_data())
        below = "id,text,username,timestamp,replies{id,text,username,timestamp}"
        said = list(media.get_comments(params={"fields": below, "limit": 20}))
        for comment in said:
            told = comment.export_all_data()
            check(known["ig comments"], told)
            found |= {one["id"]: one["text"] for one in (told, *told.get("replies", {}).get("data", ()))}
        answers = sum(len(one.export_all_data().get("replies", {}).get("data", ())) for one in said)
        assert media["comments_count"] == len(said) + answers
    return found


async def test_metas_client_reads_all_of_an_account(client_of, telling):
    async with telling(Channel.INSTAGRAM) as server:
        found = await asyncio.to_thread(_read_account, client_of, _api(client_of, server, "instagram"))
        now = server.clock.now()
        assert found == {ident: post.text_at(now) for ident, post in server.due.items()}


async def test_metas_client_understands_each_refusal(client_of, telling):
    failures = client_of("facebook_business.exceptions")
    async with telling(Channel.FACEBOOK) as server:
        api = _api(client_of, server, "facebook")

        def refused(*path):
            with pytest.raises(failures.FacebookRequestError) as told:
                api.call("GET", path)
            return told.value.http_status(), told.value.api_error_code(), told.value.api_error_subcode()

        assert await asyncio.to_thread(refused, "10_99999999") == (400, 100, 33)
        server.bills[Channel.FACEBOOK].units[f"calls {server.clock.now():%Y-%m-%d %H}h"] = 600
        assert await asyncio.to_thread(refused, PAGE, "feed") == (400, 32, None)
        session = api._session
        session.requests.params["access_token"] = "dead"
        assert await asyncio.to_thread(refused, PAGE, "feed") == (400, 190, None)


@pytest.mark.parametrize("channel", [Channel.FACEBOOK, Channel.INSTAGRAM])
async def test_every_field_that_we_ask_for_is_one_that_meta_names(client_of, telling, channel):
    known, asked_for = kinds(client_of), set()
    async with telling(channel) as server:
        client = HttpClient()
        fetch = client.bind(source=SourceId("one"), allow_private=True)

        async def checked(url, **further):
            asked = Question.of("GET", url.removeprefix(server.url), {})
            if "fields" not in asked.query:  # it asks about the token, not for an object
                return await fetch(url, **further)
            last = asked.path.rpartition("/")[2]
            name = "ig comments" if channel is Channel.INSTAGRAM and last == "comments" else last
            name = {PAGE: "page", ACCOUNT: "account"}.get(name, name)
            single = "comments" if channel is Channel.FACEBOOK else "ig comments"
            kind = known.get(name, known[single])
            wanted = {one for one in fields(asked) if not hasattr(kind, f"get_{one}")}  # an edge may be expanded, too
            wanted -= {"story"} if name not in known else set()
            assert wanted <= set(kind._field_types), (name, wanted)
            asked_for.add(name if name in known else "single")
            return await fetch(url, **further)

        tools, url = Tools(fetch=checked, parse_feed=None), f"{server.url}/{channel}/v26.0"
        if channel is Channel.FACEBOOK:
            options = FacebookOptions(type="facebook", page=PAGE, token=Secret("token"), url=url)
            source = FacebookSource(SourceId("one"), options, tools)
        else:
            options = InstagramOptions(type="instagram", account=ACCOUNT, token=Secret("token"), url=url)
            source = InstagramSource(SourceId("one"), options, tools)
        cursor, found = None, {}
        for _ in range(60):
            poll = await source.poll(cursor, server.clock.now())
            cursor = poll.cursor
            found |= {one.external_id: one for one in poll.mentions}
            if not poll.more:
                break
        await source.recheck(list(found)[-5:], server.clock.now())
        await client.close()
        assert set(found) == set(server.due)
        assert asked_for >= {"single", "comments" if channel is Channel.FACEBOOK else "ig comments"}
