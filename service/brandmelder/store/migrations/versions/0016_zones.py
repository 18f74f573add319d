"""In which zone each reader of the page reads the time (decision 0104)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; empty means the configuration's zone."""
    op.add_column("member", sa.Column("zone", sa.String(64), nullable=False, server_default=""))
