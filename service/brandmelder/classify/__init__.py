"""2. A mention gets its verdict."""
