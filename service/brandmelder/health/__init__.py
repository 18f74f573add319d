"""Answers whether the process is well, to whoever asks by HTTP: a thread and a socket of its own."""
