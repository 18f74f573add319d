"""One storm on many platforms: the same people, a virtual clock, faults on purpose, and the truth beside it."""
