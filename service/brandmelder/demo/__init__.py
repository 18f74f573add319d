"""A storm to try it on, told over the real protocols."""
