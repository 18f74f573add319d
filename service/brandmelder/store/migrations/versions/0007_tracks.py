"""Incidents of one monitor run beside one another on tracks of their own; periods that were not normal (0023, 0024)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_RUNNING = sa.text("state IN ('pending', 'open', 'acknowledged')")


def upgrade() -> None:
    """Add the track, what stands is a storm; and the marked periods."""
    op.add_column("incident", sa.Column("track", sa.String(16), nullable=False, server_default="storm"))
    op.drop_index("incident_one_running", "incident")
    op.drop_index("incident_by_monitor", "incident")
    op.create_index(
        "incident_one_running",
        "incident",
        ["monitor", "track"],
        unique=True,
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )
    op.create_index("incident_by_monitor", "incident", ["monitor", "track", "opened_at"])
    op.create_table(
        "marked",
        sa.Column("monitor", sa.String(128), primary_key=True),
        sa.Column("since", sa.BigInteger(), primary_key=True),
        sa.Column("until", sa.BigInteger(), primary_key=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
