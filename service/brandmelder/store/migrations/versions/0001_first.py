"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_RUNNING = sa.text("state IN ('pending', 'open', 'acknowledged')")


def upgrade() -> None:
    """Create every table."""
    _memory()
    _capture()
    _counts()
    _decisions()


def _memory() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )


def _capture() -> None:
    op.create_table(
        "source",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("cursor", sa.Text()),
        sa.Column("read_until", sa.BigInteger()),
        sa.Column("first_contact", sa.BigInteger()),
        sa.Column("history_done", sa.Boolean(), nullable=False),
        sa.Column("next_poll_at", sa.BigInteger(), nullable=False),
        sa.Column("last_success_at", sa.BigInteger()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("blind_since", sa.BigInteger()),
        sa.Column("note", sa.Text(), nullable=False),
    )
    op.create_table(
        "mention",
        sa.Column("id", _BIG_KEY, primary_key=True, autoincrement=False),
        sa.Column("source", sa.String(128), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("language", sa.String(16)),
        sa.Column("reach", sa.BigInteger()),
        sa.Column("parent_id", sa.Text()),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("history", sa.Boolean(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("captured_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("source", "external_id", name="mention_identity"),
    )
    op.create_index(
        "mention_to_judge",
        "mention",
        ["id"],
        sqlite_where=sa.text("judged = 0"),
        postgresql_where=sa.text("NOT judged"),
    )
    op.create_index("mention_reply", "mention", ["source", "parent_id"])
    op.create_table(
        "gap",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("source", sa.String(128), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expected", sa.Integer()),
        sa.Column("resume", sa.Text()),
        sa.Column("filled_at", sa.BigInteger()),
        sa.UniqueConstraint("source", "since", "until", name="gap_identity"),
    )
    op.create_table(
        "reading",
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("account", sa.String(256), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("at", sa.BigInteger(), primary_key=True),
        sa.Column("value", sa.Float(), nullable=False),
        sqlite_with_rowid=False,
    )


def _counts() -> None:
    op.create_table(
        "verdict",
        sa.Column("mention", _BIG_KEY, primary_key=True, autoincrement=False),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("p_negative", sa.Float(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "match",
        sa.Column("monitor", sa.String(128), primary_key=True),
        sa.Column("published_at", sa.BigInteger(), primary_key=True),
        sa.Column("mention", sa.BigInteger(), primary_key=True),
        sa.Column("source", sa.String(128), nullable=False),
        sa.Column("history", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("negative", sa.Float(), nullable=False),
        sa.Column("labelled", sa.Float(), nullable=False),
        sa.Column("reach", sa.Float(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bin",
        sa.Column("monitor", sa.String(128), primary_key=True),
        sa.Column("start", sa.BigInteger(), primary_key=True),
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("history", sa.Boolean(), primary_key=True),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("negative", sa.Float(), nullable=False),
        sa.Column("labelled", sa.Float(), nullable=False),
        sa.Column("reach", sa.Float(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "monitor",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("rules", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.LargeBinary()),
        sa.Column("evaluated_through", sa.BigInteger()),
        sa.Column("news_since", sa.BigInteger()),
        sa.Column("dirty_since", sa.BigInteger()),
    )


def _decisions() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("monitor", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
    )
    op.create_index(
        "incident_one_running",
        "incident",
        ["monitor"],
        unique=True,
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )
    op.create_index("incident_by_monitor", "incident", ["monitor", "opened_at"])
    op.create_table(
        "transition",
        sa.Column("incident", sa.String(64), primary_key=True),
        sa.Column("revision", sa.Integer(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery",
        sa.Column("key", sa.String(256), primary_key=True),
        sa.Column("incident", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_index("delivery_next", "delivery", ["next_at"])
    op.create_index("delivery_by_incident", "delivery", ["incident", "channel"])
