"""Several at the same moment, by the API and by a click in chat: one is first, and the others are told who."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from brandmelder.errors import Conflict
from brandmelder.model import Act
from brandmelder.pipeline.act import Wish, fulfil
from brandmelder.store import audit, incidents
from web.api.house import SECRET, opened, served, token

SECOND = "bm_" + "t" * 43


@pytest.fixture
def world(storm_file, tmp_path):
    made = opened(storm_file, tmp_path)
    token(made)
    token(made, secret=SECOND, ident="fedcba987654", name="Nachtdienst")
    yield made
    made.database.close()


async def by_api(browser, secret, body, **headers):
    headers = {"authorization": f"Bearer {secret}"} | headers
    return await browser.post("/api/v1/incidents/NF-2026-001/acts", json=body, headers=headers)


async def by_chat(world, act):
    wish = Wish(incident="NF-2026-001", act=act, by="Anna Petersen", person="slack:U1")
    for _ in range(3):
        try:
            return await world.database.run(fulfil, world.pipeline.parts, wish, world.clock.now())
        except Conflict:
            continue
    raise AssertionError("it never came to rest")


def steps(world, act):
    found = world.database.run_now(incidents.timeline, "NF-2026-001")
    return [one for one in found if one.act is act]


def at_once(world, *wishes):
    app, _ = served(world)

    async def all_of_them():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
            return await asyncio.gather(*(wish(browser) for wish in wishes))

    return asyncio.run(all_of_them())


def test_of_acknowledgements_at_the_same_moment_one_counts_for_each_person_and_none_is_lost(world):
    answers = at_once(
        world,
        lambda browser: by_api(browser, SECRET, {"act": "acknowledge"}),
        lambda browser: by_api(browser, SECOND, {"act": "acknowledge"}),
        lambda _: by_chat(world, Act.ACKNOWLEDGE),
        lambda browser: by_api(browser, SECRET, {"act": "acknowledge"}),
    )
    kept = steps(world, Act.ACKNOWLEDGE)
    assert len(kept) == 1
    assert kept[0].by in {"Leitstelle", "Nachtdienst", "Anna Petersen"}
    told = [one.json() for one in answers if isinstance(one, httpx.Response)]
    statuses = [one.status_code for one in answers if isinstance(one, httpx.Response)]
    assert set(statuses) <= {200, 409}
    assert {one["acknowledged_by"] for one, status in zip(told, statuses, strict=True) if status == 200} <= {kept[0].by}
    assert all(kept[0].by in one["detail"] for one, status in zip(told, statuses, strict=True) if status == 409)
    noted = [one for one in world.database.run_now(audit.newest, 50) if one.act == "incident.acknowledge"]
    assert [one.actor for one in noted] == [kept[0].by]


def test_what_was_seen_at_one_revision_is_done_once_however_many_saw_it(world):
    shown = at_once(
        world,
        lambda browser: browser.get("/api/v1/incidents/NF-2026-001", headers={"authorization": f"Bearer {SECRET}"}),
    )
    tag = shown[0].headers["etag"]
    dismiss = {"act": "dismiss", "reason": "bots"}
    answers = at_once(world, *[lambda browser: by_api(browser, SECRET, dismiss, **{"if-match": tag}) for _ in range(6)])
    assert Counter(one.status_code for one in answers) == {200: 1, 412: 5}
    assert len(steps(world, Act.DISMISS)) == 1


def test_a_batch_that_comes_several_times_at_once_is_kept_once(world):
    batch = {
        "source": "blog",
        "mentions": [
            {"external_id": "r1", "text": "Nordfunk, nie wieder!", "published_at": "2026-12-15T20:20:00+01:00"}
        ],
    }

    async def bring(browser, key):
        headers = {"authorization": f"Bearer {SECRET}", "idempotency-key": key}
        return await browser.post("/api/v1/mentions", json=batch, headers=headers)

    answers = at_once(world, *[lambda browser: bring(browser, "k") for _ in range(5)])
    assert Counter(one.status_code for one in answers) == {201: 1, 200: 4}
    assert {one.json()["new"] for one in answers} == {1}
    others = at_once(world, *[lambda browser, key=f"k{number}": bring(browser, key) for number in range(5)])
    assert {(one.status_code, one.json()["new"], one.json()["repeated"]) for one in others} == {(201, 0, 1)}
