"""What weighs a mention: clusters of near-copies, and what each author has counted in an hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "copies",
        sa.Column("number", _BIG_KEY, primary_key=True, autoincrement=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("exact", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("touched", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "author_hour",
        sa.Column("key", _BIG_KEY, primary_key=True, autoincrement=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
