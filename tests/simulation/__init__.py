"""The real pipeline in a simulated world: virtual time, faults and crashes drawn from a seed, oracles of the truth."""
