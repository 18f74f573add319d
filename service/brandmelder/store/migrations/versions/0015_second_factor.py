"""The second factor of accounts on the page (decision 0106)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("member", sa.Column("factor", sa.String(64), nullable=False, server_default=""))
    op.add_column("member", sa.Column("factor_step", sa.BigInteger(), nullable=False, server_default="0"))
