"""The same pipeline under a clock that does not wait."""
