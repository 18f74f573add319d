"""Runs many seeds, in this process or as a worker of several."""

from __future__ import annotations

import gc
import logging

import structlog

from simulation.mutants import planted
from simulation.oracles import complaints
from simulation.world import Workshop


def quiet():
    """Let the service log nothing: the trace tells what happened."""
    structlog.configure(processors=[_drop])
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)


def _drop(logger, name, event):
    raise structlog.DropEvent


def simulate_many(seeds, *, mutant=None):
    """Yield for each seed what is wrong with it, and what it met."""
    quiet()
    workshop = Workshop()
    for number, seed in enumerate(seeds):
        if number % 20 == 0:
            gc.collect()
        workshop.eve_of(seed)
        with planted(mutant):
            world = workshop.simulate(seed)
            yield seed, complaints(world), sum(world.faults.values()), world.crashes, world.digest


def work(seeds):
    """Simulate seeds as one task of a pool."""
    gc.disable()
    return list(simulate_many(seeds))
