"""What sources bring by the hour, what is odd about their clocks, when what lets us in ends, and doubts told (0095)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and the columns."""
    op.create_table(
        "intake",
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("hour", sa.BigInteger(), primary_key=True),
        sa.Column("mentions", sa.Integer(), nullable=False),
        sa.Column("ahead", sa.Integer(), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger()),
        sa.Column("last_at", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "doubt",
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("since", sa.BigInteger(), primary_key=True),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    for name in ("clock_offset", "skewed_since", "expires_at"):
        op.add_column("source", sa.Column(name, sa.BigInteger()))
