"""Nothing lost and nothing doubled, however Slack and the power behave; a naive sender in the same run doubles.

`make chaos` does it at full size: 3 × 400 alerts, 30 crashes each.
"""

from __future__ import annotations

import pytest

from pipeline.chaos import by_protocol, naively

SIZE = {"alerts": 60, "crashes": 10}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_alert_is_lost_and_none_is_seen_twice(tmp_path, seed):
    found = await by_protocol(tmp_path / "a.db", seed=seed, **SIZE)
    assert found.faults >= SIZE["alerts"] * 0.1, "too little went wrong to tell anything"
    assert found.crashes == SIZE["crashes"]
    assert (found.lost, found.twins) == (0, 0)


async def test_a_naive_sender_doubles_under_the_same_faults(tmp_path):
    found = await naively(tmp_path / "a.db", seed=1, **SIZE)
    assert found.twins >= SIZE["alerts"] * 0.05
