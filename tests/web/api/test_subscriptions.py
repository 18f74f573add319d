"""A subscription is a channel: told of what happens from then on, signed, and attached again at every start."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from standardwebhooks import Webhook

from brandmelder.model import Act, DeliveryState, MonitorId
from brandmelder.notify.notifier import Tools
from brandmelder.pipeline.act import Wish, do
from brandmelder.store import audit, subscriptions
from brandmelder.store.subscriptions import Subscription
from brandmelder.wiring.subscriptions import attach, channel_of, detach, secret_of
from web.api.house import client, opened, served, token


class Reach:
    """Lends a way out that ends here: what is posted is kept, and answered 204."""

    def __init__(self, world):
        self.posted, self.world = [], world

    async def post(self, method, url, *, headers, body=b""):
        self.posted.append((url, dict(headers), body))
        return SimpleNamespace(status=204, headers={}, body=b"")

    def lent(self, options):
        assert not options.allow_private
        return Tools(exchange=self.post, now=self.world.clock.now)


@pytest.fixture
def world(storm_file, tmp_path):
    made = opened(storm_file, tmp_path)
    token(made)
    yield made
    made.database.close()


def acknowledge(world):
    wish = Wish(incident="NF-2026-001", act=Act.ACKNOWLEDGE, by="Anna")
    world.database.run_now(do, world.pipeline.parts, wish, world.clock.now())
    asyncio.run(world.pipeline.deliver(world.clock.now()))


def test_an_address_is_told_of_what_happens_after_it_subscribed(world):
    reach = Reach(world)
    app, _ = served(world, subscribe=attach(world.pipeline.parts, reach))
    made = client(app).post("webhooks", json={"url": "https://hooks.example/in"}).json()
    asyncio.run(world.pipeline.deliver(world.clock.now()))
    assert [json.loads(body)["type"] for _, _, body in reach.posted] == ["alert.opened"]
    acknowledge(world)
    assert json.loads(reach.posted[-1][2])["type"] == "alert.updated"
    assert {url for url, _, _ in reach.posted} == {"https://hooks.example/in"}
    _, headers, body = reach.posted[0]
    payload = json.loads(body)
    assert payload["data"]["incident"] == "NF-2026-001"
    assert payload["data"]["channel"] == channel_of(made["id"])
    checker = Webhook(made["secret"])
    assert headers["webhook-signature"] == checker.sign(headers["webhook-id"], world_moment(headers), body.decode())


def world_moment(headers):
    return datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)


def test_what_is_kept_is_attached_at_the_next_start_with_the_same_secret(world):
    one = Subscription(
        id="0123456789abcdef",
        url="https://hooks.example/in",
        monitors=frozenset({MonitorId("nordfunk")}),
        made_at=world.clock.now(),
        made_by="Leitstelle",
    )
    world.database.run_now(subscriptions.add, one)
    attach(world.pipeline.parts, Reach(world))
    channel = channel_of(one.id)
    assert channel in world.pipeline.parts.notifiers
    assert [route.monitors for route in world.pipeline.parts.routes if channel in route.channels] == [one.monitors]
    key = world.pipeline.parts.author_key
    assert secret_of(key, one.id) == secret_of(key, one.id)
    assert secret_of(key, one.id) != secret_of(b"another key", one.id)


def test_a_secret_is_replaced_and_the_one_before_signs_beside_it_for_a_day(world):
    reach = Reach(world)
    app, _ = served(world, subscribe=attach(world.pipeline.parts, reach))
    browser = client(app)
    made = browser.post("webhooks", json={"url": "https://hooks.example/in"}).json()
    rotated = browser.post(f"webhooks/{made['id']}/secret").json()
    assert rotated["secret"] != made["secret"]
    assert rotated["id"] == made["id"]
    assert signers(world, reach, made, rotated) == [True, True]
    world.database.run_now(do, world.pipeline.parts, wish_of(Act.RESOLVE), world.clock.now())
    world.clock.move_to(world.clock.now() + timedelta(hours=24, minutes=1))
    assert signers(world, reach, made, rotated) == [False, True]
    again = browser.post(f"webhooks/{made['id']}/secret").json()
    assert len({one["secret"] for one in (made, rotated, again)}) == 3
    assert browser.post("webhooks/0123456789abcdef/secret").status_code == 404
    acts = world.database.run_now(lambda connection: [one.act for one in audit.entries(connection)])
    assert acts.count("webhook.rotate") == 2


def signers(world, reach, *made):
    """Deliver, and say for each secret whether it signed the last event."""
    asyncio.run(world.pipeline.deliver(world.clock.now()))
    _, headers, body = reach.posted[-1]
    given = headers["webhook-signature"].split()
    moment = world_moment(headers)
    return [Webhook(one["secret"]).sign(headers["webhook-id"], moment, body.decode()) in given for one in made]


def wish_of(act):
    return Wish(incident="NF-2026-001", act=act, by="Anna")


def test_a_rotation_outlives_a_restart(world):
    reach = Reach(world)
    app, _ = served(world, subscribe=attach(world.pipeline.parts, reach))
    browser = client(app)
    made = browser.post("webhooks", json={"url": "https://hooks.example/in"}).json()
    rotated = browser.post(f"webhooks/{made['id']}/secret").json()
    detach(world.pipeline.parts, made["id"])
    attach(world.pipeline.parts, reach)
    assert signers(world, reach, made, rotated) == [True, True]


def test_what_was_promised_to_an_address_that_left_is_not_sent(world):
    reach = Reach(world)
    parts = world.pipeline.parts
    app, _ = served(world, subscribe=attach(parts, reach), unsubscribe=lambda ident: detach(parts, ident))
    browser = client(app)
    made = browser.post("webhooks", json={"url": "https://hooks.example/in"}).json()
    for act in (Act.RESOLVE, Act.REOPEN):
        world.database.run_now(do, parts, Wish(incident="NF-2026-001", act=act, by="Anna"), world.clock.now())
    assert browser.get("webhooks").json()["items"][0]["waiting"] > 0
    assert browser.delete(f"webhooks/{made['id']}").status_code == 204
    asyncio.run(world.pipeline.deliver(world.clock.now()))
    assert reach.posted == []
    mine = [one for one in world.deliveries() if one.channel == channel_of(made["id"])]
    assert {one.state for one in mine} <= {DeliveryState.SUPERSEDED}
