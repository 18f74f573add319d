"""What sources asked and paid by day, at which interval each is asked, and how long it brought nothing (0065)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, add the columns."""
    op.create_table(
        "usage",
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("polls", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.add_column("source", sa.Column("every", sa.BigInteger()))
    op.add_column("source", sa.Column("empty_polls", sa.Integer(), nullable=False, server_default="0"))
