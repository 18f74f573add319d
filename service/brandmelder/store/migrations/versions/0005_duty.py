"""Silences, overrides, calendars, calls that reached people, and notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of duty."""
    op.create_table(
        "silence",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "duty_override",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("rota", sa.String(64), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "calendar",
        sa.Column("rota", sa.String(64), primary_key=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False, server_default=""),
        sa.Column("modified", sa.Text(), nullable=False, server_default=""),
        sa.Column("good_at", sa.BigInteger()),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False, server_default=""),
    )
    op.create_table(
        "page",
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(256), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.String(160), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
