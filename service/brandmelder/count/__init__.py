"""3. Verdicts become series of bins."""
