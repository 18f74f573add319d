"""YouTube's face against Google's own client, and its answers and our questions against Google's discovery document."""

from __future__ import annotations

import asyncio
import importlib.resources
import json
from datetime import timedelta

import jsonschema
import pytest

from brandmelder.capture.http import HttpClient
from brandmelder.capture.source import Tools
from brandmelder.capture.sources.youtube import YouTubeOptions, YouTubeSource
from brandmelder.demo.storm.faces.youtube import CHANNEL, VIDEO
from brandmelder.demo.storm.posts import Channel
from brandmelder.demo.storm.wire import Question
from brandmelder.model import SourceId
from brandmelder.options import Secret

_TYPES = {"any": {}, "integer": {"type": "integer"}, "number": {"type": "number"}}


def discovered(client_of, name):
    client_of("googleapiclient.discovery")
    folder = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents"
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def schema_of(document, name):
    """Return what validates against a discovery document's schema, in which nothing that it does not name may stand."""
    definitions = {each: _plain(told) for each, told in document["schemas"].items()}
    return jsonschema.Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": definitions})


def _plain(told):
    if "$ref" in told:
        return {"$ref": f"#/definitions/{told['$ref']}"}
    kind = told.get("type", "any")
    if kind == "object":
        properties = {name: _plain(one) for name, one in told.get("properties", {}).items()}
        further = _plain(told["additionalProperties"]) if "additionalProperties" in told else False
        return {"type": "object", "properties": properties, "additionalProperties": further}
    if kind == "array":
        return {"type": "array", "items": _plain(told["items"])}
    found = dict(_TYPES.get(kind, {"type": kind}))
    if told.get("format") in {"int64", "uint64"} and kind == "string":
        found["pattern"] = r"^-?\d+$"
    if told.get("format") == "date-time":
        found["pattern"] = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"
    return found | ({"enum": told["enum"]} if "enum" in told else {})


def check_question(document, method, asked):
    """Refuse a parameter that the method does not have, or a value that it does not take."""
    known = {**document["parameters"], **method["parameters"]}
    for name, value in asked.query.items():
        assert name in known, f"{name} is no parameter of {method['id']}"
        told = known[name]
        values = value.split(",") if told.get("repeated") else [value]
        assert "enum" not in told or set(values) <= set(told["enum"]), (name, value)
        if told["type"] == "integer":
            low, high = int(told.get("minimum", 0)), int(told.get("maximum", 1 << 31))
            assert low <= int(value) <= high, (name, value)
    missing = {name for name, told in method["parameters"].items() if told.get("required")} - set(asked.query)
    assert not missing, f"{method['id']} needs {missing}"


def _read_all(client):
    """Return all comments as Google's client reads them, page by page, with the replies that do not come along."""
    found, threads = {}, client.commentThreads()
    request = threads.list(
        part="snippet,replies",
        allThreadsRelatedToChannelId=CHANNEL,
        order="time",
        maxResults=100,
        textFormat="plainText",
    )
    while request is not None:
        answer = request.execute()
        for item in answer["items"]:
            top = item["snippet"]["topLevelComment"]
            found[top["id"]] = top
            if not item["snippet"]["totalReplyCount"]:
                continue
            further = client.comments().list(part="snippet", parentId=item["id"], maxResults=20)
            while further is not None:
                below = further.execute()
                found |= {one["id"]: one for one in below["items"]}
                further = client.comments().list_next(further, below)
        request = threads.list_next(request, answer)
    return found


def _client(discovery, server):
    return discovery.build(
        "youtube", "v3", developerKey="token", static_discovery=True, client_options={"api_endpoint": server.url}
    )


async def test_googles_client_reads_every_comment(client_of, telling):
    discovery = client_of("googleapiclient.discovery")
    async with telling(Channel.YOUTUBE) as server:
        client = _client(discovery, server)
        found = await asyncio.to_thread(_read_all, client)
        client.close()
        assert set(found) == set(server.due)
        now = server.clock.now()
        assert {ident: one["snippet"]["textOriginal"] for ident, one in found.items()} == {
            ident: post.text_at(now) for ident, post in server.due.items()
        }


async def test_googles_client_understands_each_refusal(client_of, telling):
    discovery, errors = client_of("googleapiclient.discovery"), client_of("googleapiclient.errors")
    async with telling(Channel.YOUTUBE) as server:
        client = _client(discovery, server)

        def refused(**asked):
            with pytest.raises(errors.HttpError) as told:
                client.commentThreads().list(part="snippet", **asked).execute()
            return told.value.status_code, told.value.error_details[0]["reason"]

        assert await asyncio.to_thread(refused, videoId="nothingHere") == (404, "videoNotFound")
        assert await asyncio.to_thread(refused, videoId=VIDEO, pageToken="=") == (400, "invalidPageToken")
        server.bills[Channel.YOUTUBE].units["units 2026-11-20"] = 10_000
        assert await asyncio.to_thread(refused, videoId=VIDEO) == (403, "quotaExceeded")
        server.clock.turn(step=timedelta(hours=16).total_seconds())  # midnight on the Pacific has passed
        assert await asyncio.to_thread(_read_all, client)
        client.close()


async def test_answers_and_our_questions_keep_to_googles_discovery_document(client_of, telling):
    document = discovered(client_of, "youtube.v3")
    lists = {name: document["resources"][name]["methods"]["list"] for name in ("commentThreads", "comments")}
    schemas = {name: schema_of(document, method["response"]["$ref"]) for name, method in lists.items()}
    asked_for = []
    async with telling(Channel.YOUTUBE) as server:
        client = HttpClient()
        fetch = client.bind(source=SourceId("youtube"), allow_private=True)

        async def checked(url, **further):
            answer = await fetch(url, **further)
            asked = Question.of("GET", url.removeprefix(server.url), {})
            name = asked.path.rpartition("/")[2]
            check_question(document, lists[name], asked)
            schemas[name].validate(json.loads(answer.body))
            asked_for.append(name)
            return answer

        options = YouTubeOptions(
            type="youtube", url=f"{server.url}/youtube/v3", api_key=Secret("token"), channel=CHANNEL
        )
        source, cursor, found = (
            YouTubeSource(SourceId("youtube"), options, Tools(fetch=checked, parse_feed=None)),
            None,
            {},
        )
        for _ in range(40):
            poll = await source.poll(cursor, server.clock.now())
            cursor = poll.cursor
            found |= {one.external_id: one for one in poll.mentions}
            if not poll.more:
                break
        await source.recheck(list(found)[:50], server.clock.now())
        await client.close()
        assert set(found) == set(server.due)
        assert set(asked_for) == {"commentThreads", "comments"}


def test_the_contract_refuses_what_it_does_not_know(client_of):
    document = discovered(client_of, "youtube.v3")
    schema = schema_of(document, "CommentListResponse")
    schema.validate({"items": [{"id": "a"}]})
    for wrong in ({"items": [{"ident": "a"}]}, {"items": {"id": "a"}}, {"items": [{"snippet": {"likeCount": "3"}}]}):
        with pytest.raises(jsonschema.ValidationError):
            schema.validate(wrong)
    method = document["resources"]["comments"]["methods"]["list"]
    for query in ("part=snippet&parent=1", "parentId=1", "part=snippet&maxResults=101", "part=snippet&textFormat=x"):
        with pytest.raises(AssertionError):
            check_question(document, method, Question.of("GET", f"/comments?{query}", {}))
