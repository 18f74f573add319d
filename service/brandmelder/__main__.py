"""`python -m brandmelder` is the command `brandmelder`."""

from brandmelder.cli import main

main()
