"""Planted bugs: each a way in which such a service was wrong before; the simulation must find every one of them."""

from __future__ import annotations

from contextlib import contextmanager


@contextmanager
def planted(name):
    yield
