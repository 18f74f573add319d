"""Who did what, in a chain nobody alters unseen; what was forgotten, and must not come back (0076, 0077)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_REFUSED = "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
_YOUNG = "OLD.at > CAST(strftime('%s', 'now') AS INTEGER) - 31536000"
_GUARDS = (
    f"CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit {_REFUSED}",
    f"CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit WHEN {_YOUNG} {_REFUSED}",
)


def upgrade() -> None:
    """Add the audit with its guards, the tombstones, and when a mention was forgotten."""
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        for guard in _GUARDS:
            op.get_bind().exec_driver_sql(guard)
    op.create_table(
        "tombstone",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    op.add_column("mention", sa.Column("forgotten_at", sa.BigInteger()))
