"""Runs many seeds, in this process or as a worker of several."""

from __future__ import annotations

import gc
import logging
import time
from functools import lru_cache

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


@lru_cache(maxsize=1)
def _workshop():
    """The one of this process: to prepare the eves of all shapes takes as long as twenty seeds."""
    return Workshop()


def simulate_many(seeds, *, mutant=None):
    """Yield for each seed what is wrong with it, and what it met."""
    quiet()
    workshop = _workshop()
    for number, seed in enumerate(seeds):
        if number % 20 == 0:
            gc.collect()
        workshop.eve_of(seed)
        with planted(mutant):
            world = workshop.simulate(seed)
            yield seed, complaints(world), sum(world.faults.values()), world.crashes, world.digest


def work(seeds):
    """Simulate seeds as one task of a pool; returns what came of each, and the processor time it took in seconds."""
    gc.disable()
    begun = time.process_time()
    results = list(simulate_many(seeds))
    return results, time.process_time() - begun
