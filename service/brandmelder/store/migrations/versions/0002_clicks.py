"""The inbox of clicks, and where a delivery stands, so that a thread finds its incident."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table `click`; write the ref of each delivery into a column of its own."""
    op.create_table(
        "click",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("envelope", sa.String(256), nullable=False, unique=True),
        sa.Column("person", sa.String(128), nullable=False),
        sa.Column("at", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary()),
        sa.UniqueConstraint("person", "at", name="click_once"),
    )
    op.create_index("click_by_state", "click", ["state"])
    op.create_index("click_by_age", "click", ["received_at"])
    op.add_column("delivery", sa.Column("ref", sa.String(128)))
    op.create_index("delivery_by_ref", "delivery", ["ref"])
    _write_refs()


def _write_refs() -> None:
    delivery = sa.table("delivery", sa.column("key"), sa.column("ref"), sa.column("body"))
    rows = op.get_bind().execute(sa.select(delivery.c.key, delivery.c.body)).all()
    for key, body in rows:
        ref = msgspec.msgpack.decode(body).get("ref")
        if ref is not None:
            op.get_bind().execute(sa.update(delivery).where(delivery.c.key == key).values(ref=ref))
