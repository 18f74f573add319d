"""Whatever a program sends, well-formed or not: the API answers as its own description says, and never falls over.

More of the same: make fuzz-api.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from starlette.applications import Starlette

from brandmelder.web.api.app import mounted
from brandmelder.web.api.cursors import cursor
from brandmelder.web.api.operation import Door
from pipeline.world import STORM
from web.api.house import SECRET, opened, served, token

EXAMPLES = int(os.environ.get("BRANDMELDER_API_EXAMPLES", "12"))
ACCEPTED = ["2xx", "304", "401", "403", "404", "409", "412"]
"""What a well-formed request may meet: nothing of that name, an act that is not due, an older revision."""


def places(idents):
    moments = st.datetimes(
        min_value=STORM.replace(tzinfo=None) - timedelta(days=9), max_value=STORM.replace(tzinfo=None)
    )
    return st.builds(lambda at, ident: cursor(at.replace(tzinfo=STORM.tzinfo), ident), moments, idents)


class Later:
    """An application that is known by its description before the world behind it stands."""

    def __init__(self):
        self.app = Starlette(routes=[mounted(Door(parts=None, now=None))])

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


APP = Later()
schemathesis.openapi.format("mention-cursor", places(st.integers(1, 200)))
schemathesis.openapi.format("incident-cursor", places(st.sampled_from(["NF-2026-001", "NF-2026-002"])))
schema = schemathesis.openapi.from_asgi(
    "/api/v1/openapi.json",
    APP,
    config=SchemathesisConfig.from_dict(
        {
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
            "generation": {"mode": "all"},
        }
    ),
)


@schema.auth()
class Bearer:
    """Sends the token of a program that may do everything."""

    def get(self, case, context):
        return SECRET

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@pytest.fixture(scope="module", autouse=True)
def _served(storm_file, tmp_path_factory):
    """Serve the API over a storm; its clock goes on by ten seconds with each request, for the gate counts them."""
    world = opened(storm_file, tmp_path_factory.mktemp("fuzz"))
    token(world)
    moments = iter(range(10**9))
    APP.app, _ = served(world, now=lambda: world.clock.now() + next(moments) * timedelta(seconds=10))
    yield
    world.database.close()


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_to_its_description(case):
    case.call_and_validate()
