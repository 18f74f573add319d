"""The page in the browser: what the alert says and more, for a phone at night and for a screen on the wall."""
