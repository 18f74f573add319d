"""Hosts are asked one request at a time, and no more than their bucket holds."""

from __future__ import annotations

import asyncio

import pytest

from brandmelder.capture.turns import MOST_HOSTS, Manners, Turns

HOST = ("press.example", 443)


def test_a_burst_goes_out_at_once_and_the_rest_at_the_hosts_pace():
    turns = Turns(Manners(burst=3, per_second=2.0))
    waits = [turns._take(HOST, 100.0) for _ in range(5)]
    assert waits == [0, 0, 0, 0.5, 1.0]
    assert turns._take(("other.example", 443), 100.0) == 0


def test_a_rest_fills_the_bucket_but_never_beyond_its_rim():
    turns = Turns(Manners(burst=2, per_second=1.0))
    for _ in range(2):
        turns._take(HOST, 0.0)
    assert [turns._take(HOST, 1_000.0) for _ in range(3)] == [0, 0, 1.0]


def test_however_many_hosts_are_asked_memory_is_bounded():
    turns = Turns()
    for number in range(MOST_HOSTS + 500):
        turns._take((f"h{number}.example", 443), float(number))
    assert len(turns._buckets) == MOST_HOSTS


async def test_two_sources_of_one_host_take_turns_and_other_hosts_do_not_wait():
    turns, order = Turns(), []
    held, free = asyncio.Event(), asyncio.Event()

    async def first():
        async with turns.at(HOST):
            held.set()
            await free.wait()
            order.append("first")

    async def second():
        async with turns.at(HOST):
            order.append("second")

    running = asyncio.gather(first(), second())
    await held.wait()
    async with turns.at(("other.example", 443)):
        order.append("other")
    free.set()
    await running
    assert order == ["other", "first", "second"]


async def test_a_place_of_the_house_is_not_held_back():
    turns = Turns(Manners(burst=1, per_second=0.001))
    async with asyncio.timeout(5):
        for _ in range(3):
            async with turns.at(HOST, is_ours=True):
                pass


async def test_a_host_that_was_asked_enough_keeps_the_next_request_waiting():
    turns = Turns(Manners(burst=1, per_second=0.001))
    async with turns.at(HOST):
        pass
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), turns.at(HOST):
            pass
