"""1. The world becomes mentions and readings."""
