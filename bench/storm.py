"""Two thousand seeded storms through faults and crashes: silent losses, duplicates, declared gaps, delay, cost.

    make storm                 # seeds 0 to 1999 (without make: 0 to 99)
    make storm STORMS=40-60    # some of them
    make storm STORMS=1234     # one, replayed

Interrupted, it tells of the seeds that ran.

Exit code 1 if a seed was not honest; each line names its seed, which replays the same.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import Counter, defaultdict

import structlog

from brandmelder.demo.storm.trial import Trial


def main(asked: str) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    first, _, last = asked.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    began, sums, faults, bad = time.monotonic(), defaultdict(Counter), Counter(), []
    ran = 0
    try:
        for seed in seeds:
            result = asyncio.run(Trial(seed).run())
            ran += 1
            faults.update(result.faults)
            for channel, one in result.scores.items():
                told = sums[channel]
                told.update(seeds=1, posts=one.posts, found=one.found, declared=one.declared, gaps=one.gaps)
                told.update(lost=len(one.lost), doubled=len(one.doubled), invented=len(one.invented))
                told.update(polls=result.polls, crashes=result.crashes)
                told["dollars"] += result.bills[channel].dollars
                if not one.is_honest:
                    bad.append(seed)
                    print(f"seed {seed} ({channel}): lost {one.lost} doubled {one.doubled} invented {one.invented}")
            if (seed - seeds[0] + 1) % 100 == 0:
                print(f"# {seed - seeds[0] + 1} seeds, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    except KeyboardInterrupt:  # who has seen enough is told of what ran
        pass
    heads = ("seeds", "polls", "crashes", "posts", "found", "declared", "gaps", "lost", "doubled", "invented")
    print(f"{'channel':10} " + " ".join(f"{name:>9}" for name in (*heads, "dollars")))
    for channel, told in sorted(sums.items()):
        print(f"{channel:10} " + " ".join(f"{told[name]:>9}" for name in heads) + f" {told['dollars']:>9.2f}")
    print("faults: " + ", ".join(f"{name} {count}" for name, count in faults.most_common()))
    print(f"{ran} of {len(seeds)} seeds in {time.monotonic() - began:.0f} s; not honest: {bad or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "0-99"))
