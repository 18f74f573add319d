"""The memory: SQLite, later PostgreSQL."""
