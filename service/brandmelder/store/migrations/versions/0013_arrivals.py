"""Which messages were sent to us already (decision 0061)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "arrival",
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("ident", sa.String(256), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("arrival_by_age", "arrival", ["at"])
