"""The newest reading of each series, so that the list of accounts need not read the series (decision 0060)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; what was measured before joins it with the next reading."""
    op.create_table(
        "latest_reading",
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("account", sa.String(256), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sqlite_with_rowid=False,
    )
