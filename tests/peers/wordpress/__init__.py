"""A real WordPress on loopback: MariaDB and PHP's own server below one directory, gone when it is closed."""

from peers.wordpress.site import Comment, WordPress, missing_packages

__all__ = ["Comment", "WordPress", "missing_packages"]
