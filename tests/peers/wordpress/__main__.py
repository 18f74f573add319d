"""`python -m peers.wordpress`: a WordPress to look at, until Ctrl-C or the end of its input."""

import contextlib
import sys

from peers.wordpress import WordPress, missing_packages

if missing := missing_packages():
    sys.exit(f"not installed: {', '.join(missing)}; run apt-get install --no-install-recommends {' '.join(missing)}")
with WordPress() as site:
    sys.stdout.write(f"{site.url}\nadmin {site.password}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()
