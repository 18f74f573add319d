"""The simulation finds nothing in the service, is the same each time, and keeps the seeds that once failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.mutants import convicts
from simulation.oracles import complaints
from simulation.workers import quiet
from simulation.world import Workshop

SEEDS = range(8)
KEPT = Path(__file__).with_name("regressions.txt")


@pytest.fixture(scope="module")
def workshop():
    return Workshop()


@pytest.fixture(autouse=True)
def _silence():
    quiet()


def _kept():
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def test_nothing_is_lost_doubled_or_invented_whatever_goes_wrong(workshop):
    found, faults, crashes = {}, 0, 0
    for seed in SEEDS:
        world = workshop.simulate(seed)
        found |= {seed: wrong} if (wrong := complaints(world)) else {}
        faults, crashes = faults + sum(world.faults.values()), crashes + world.crashes
    assert found == {}
    assert faults > 10, "too little went wrong to tell anything"
    assert crashes > 10


@pytest.mark.parametrize("seed", _kept())
def test_what_once_failed_stays_mended(workshop, seed):
    assert complaints(workshop.simulate(seed)) == []


def test_a_seed_is_the_same_world_each_time_and_in_every_process(workshop):
    digest = workshop.simulate(4).digest
    assert workshop.simulate(4).digest == digest
    folders = os.pathsep.join(str(Path(__file__).parents[n] / name) for n, name in ((1, ""), (2, "service")))
    told = subprocess.run(
        [sys.executable, "-m", "simulation", "--seed", "4"],
        env=os.environ | {"PYTHONPATH": folders},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines()[0] == f"seed 4: {digest[:16]}"
    assert workshop.simulate(5).digest != digest


@pytest.mark.parametrize("name", ["arrival_time", "counted_twice", "two_open", "unbounded_queue", "send_without_look"])
def test_a_planted_bug_is_found_soon_and_the_seed_is_well_without_it(workshop, name):
    assert any(convicts(workshop, name, seed) for seed in range(40))


def test_a_seed_can_be_told_step_by_step(workshop):
    world = workshop.simulate(3, keeps_trace=True)
    assert any("landed" in line for line in world.trace)
    assert any("dies" in line for line in world.trace)
