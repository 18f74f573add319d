"""Simulate seeds: `python -m simulation --seeds 9000 --workers 2`, or one with its trace: `--seed 17 --trace`."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter

from simulation.mutants import planted
from simulation.oracles import complaints
from simulation.workers import quiet, work
from simulation.world import Workshop


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="one seed")
    parser.add_argument("--trace", action="store_true", help="tell what happened in it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--mutant", help="with a planted bug")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return one(options.seed, with_trace=options.trace, mutant=options.mutant)
    return many(options)


def one(seed, *, with_trace, mutant=None):
    quiet()
    with planted(mutant):
        world = Workshop().simulate(seed, keeps_trace=with_trace)
        found = complaints(world)
    if with_trace:
        print(world.plan)
        print("\n".join(world.trace))
    print(f"seed {seed}: {world.digest[:16]}", *(found or ["all is well"]), sep="\n  ")
    return 1 if found else 0


def many(options):
    begun = time.perf_counter()
    seeds = range(options.first, options.first + options.seeds)
    tasks = [seeds[start : start + 25] for start in range(0, len(seeds), 25)]
    totals, failed = Counter(), []
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),  # an interrupted run tells how far it came
        multiprocessing.get_context("spawn").Pool(options.workers) as pool,
    ):
        for results, busy in pool.imap_unordered(work, tasks):
            totals.update(busy=busy)
            for seed, found, faults, crashes, _ in results:
                totals.update(seeds=1, faults=faults, crashes=crashes)
                if found:
                    failed.append(seed)
                    print(
                        f"seed {seed} FAILED (python -m simulation --seed {seed} --trace)",
                        *found,
                        sep="\n  ",
                        flush=True,
                    )
    took = time.perf_counter() - begun
    print(
        f"{totals['seeds']} seeds in {took:.0f} s ({totals['busy'] / max(1, totals['seeds']):.2f} s of a core each), "
        f"{totals['faults']} faults, {totals['crashes']} crashes, "
        f"{len(failed)} failed{': ' + str(sorted(failed)) if failed else ''}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(
            sys.executable, [sys.executable, "-m", "simulation", *sys.argv[1:]], os.environ | {"PYTHONHASHSEED": "0"}
        )
    raise SystemExit(main())
