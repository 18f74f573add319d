"""Since when a source is as it is, and the times in which it could not be seen and people were told (0064)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moments and the table."""
    op.add_column("source", sa.Column("state_since", sa.BigInteger()))
    op.add_column("source", sa.Column("good_since", sa.BigInteger()))
    op.add_column("source", sa.Column("fault", sa.String(16), nullable=False, server_default=""))
    op.create_table(
        "blindness",
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("since", sa.BigInteger(), primary_key=True),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("reason", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
