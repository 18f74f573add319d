"""What can go wrong between a client and Slack, in the order it is planned."""

import random
from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One call that does not go as it should. `lands`: whether Slack carries it out all the same."""

    answer: str
    """`close`, `reset`, `reset_early`, `html`, `plain`, `list`, `cut`, `short`, `status`, `error`, `slow`."""
    lands: bool = False
    late: float = 0.0
    """Seconds after which it becomes visible."""
    status: int = 503
    error: str = ""
    """The name in `ok: false`."""
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    """How long a slow answer takes, on the real clock."""

    @classmethod
    def lost(cls, *, late=0.0):
        """Carried out, and the connection closed instead of an answer."""
        return cls(answer="close", lands=True, late=late)

    @classmethod
    def named(cls, error):
        """`ok: false` with this name."""
        return cls(answer="error", error=error)

    @classmethod
    def limited(cls, retry_after=None):
        """HTTP 429 with this Retry-After, or none."""
        headers = () if retry_after is None else (("Retry-After", retry_after),)
        return cls(answer="error", error="ratelimited", status=429, headers=headers)


class FaultPlan:
    """Faults that wait for their call: first those planned one by one, then those by chance."""

    def __init__(self, seed=0):
        self._random = random.Random(seed)
        self._planned = defaultdict(list)
        self._chances = defaultdict(list)
        self.count = 0

    def plan(self, method, *faults):
        """Let the next calls of `method` meet these faults; None lets one call pass."""
        self._planned[method].extend(faults)

    def chance(self, method, fault, share):
        """Let this share of the calls of `method` meet the fault."""
        self._chances[method].append((fault, share))

    def stop(self):
        """Heal: nothing goes wrong any more."""
        self._planned.clear()
        self._chances.clear()

    def next(self, method):
        """Return the fault that this call meets, or None."""
        fault = None
        if self._planned[method]:
            fault = self._planned[method].pop(0)
        else:
            for candidate, share in self._chances[method]:
                if self._random.random() < share:
                    fault = candidate
                    break
        self.count += fault is not None
        return fault
