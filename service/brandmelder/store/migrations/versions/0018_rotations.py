"""How often the secret of a subscription was replaced, and when last (decision 0087)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("subscription", sa.Column("rotations", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("subscription", sa.Column("rotated_at", sa.BigInteger()))
