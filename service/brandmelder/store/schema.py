"""The tables, in the tongue that SQLite and PostgreSQL both speak. Times are integer seconds since 1970, UTC."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

HEAD = "0018"
"""The newest migration; a database at another revision is refused or migrated (database.py)."""

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

source = Table(
    "source",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("cursor", Text),
    Column("read_until", BigInteger),
    Column("first_contact", BigInteger),
    Column("history_done", Boolean, nullable=False, default=False),
    Column("next_poll_at", BigInteger, nullable=False),
    Column("last_success_at", BigInteger),
    Column("failures", Integer, nullable=False, default=0),
    Column("state", String(16), nullable=False),
    Column("blind_since", BigInteger),
    Column("note", Text, nullable=False, default=""),
    Column("state_since", BigInteger),
    Column("good_since", BigInteger),
    Column("fault", String(16), nullable=False, server_default=""),
    Column("every", BigInteger),
    Column("empty_polls", Integer, nullable=False, server_default="0"),
    Column("clock_offset", BigInteger),
    Column("skewed_since", BigInteger),
    Column("expires_at", BigInteger),
)

mention = Table(
    "mention",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("source", String(128), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("context", Text, nullable=False, default=""),
    Column("url", Text, nullable=False, default=""),
    Column("author", Text, nullable=False, default=""),
    Column("language", String(16)),
    Column("reach", BigInteger),
    Column("parent_id", Text),
    Column("own", Boolean, nullable=False, default=False),
    Column("history", Boolean, nullable=False, default=False),
    Column("flags", Text, nullable=False, default=""),
    Column("fingerprint", String(64), nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("captured_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("judged", Boolean, nullable=False, default=False),
    Column("forgotten_at", BigInteger),
    UniqueConstraint("source", "external_id", name="mention_identity"),
)
Index("mention_to_judge", mention.c.id, sqlite_where=text("judged = 0"), postgresql_where=text("NOT judged"))
Index("mention_reply", mention.c.source, mention.c.parent_id)

verdict = Table(
    "verdict",
    metadata,
    Column("mention", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("label", String(16), nullable=False),
    Column("p_negative", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

copies = Table(
    "copies",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("first", Text, nullable=False),
    Column("exact", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("touched", BigInteger, nullable=False),
)

author_hour = Table(
    "author_hour",
    metadata,
    Column("key", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("weight", Float, nullable=False),
    Column("number", BigInteger, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)

staff_label = Table(
    "staff_label",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("mention", BigInteger),
    Column("text", Text),
    Column("label", String(16)),
    Column("origin", String(16), nullable=False),
    Column("by", Text, nullable=False, default=""),
    Column("at", BigInteger, nullable=False),
)

taught = Table(
    "taught",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("after_mention", BigInteger, nullable=False),
    Column("model", String(64), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("labels", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("report", Text, nullable=False),
)

match = Table(
    "match",
    metadata,
    Column("monitor", String(128), primary_key=True),
    Column("published_at", BigInteger, primary_key=True),
    Column("mention", BigInteger, primary_key=True),
    Column("source", String(128), nullable=False),
    Column("history", Boolean, nullable=False),
    Column("total", Float, nullable=False),
    Column("negative", Float, nullable=False),
    Column("labelled", Float, nullable=False),
    Column("reach", Float, nullable=False),
    sqlite_with_rowid=False,
)

bin_ = Table(
    "bin",
    metadata,
    Column("monitor", String(128), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("source", String(128), primary_key=True),
    Column("history", Boolean, primary_key=True),
    Column("total", Float, nullable=False),
    Column("negative", Float, nullable=False),
    Column("labelled", Float, nullable=False),
    Column("reach", Float, nullable=False),
    sqlite_with_rowid=False,
)

gap = Table(
    "gap",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", String(128), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("expected", Integer),
    Column("resume", Text),
    Column("filled_at", BigInteger),
    UniqueConstraint("source", "since", "until", name="gap_identity"),
)

reading = Table(
    "reading",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("account", String(256), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)

arrival = Table(
    "arrival",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("ident", String(256), primary_key=True),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("arrival_by_age", arrival.c.at)

latest_reading = Table(
    "latest_reading",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("account", String(256), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("title", Text, nullable=False),
    Column("own", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)

monitor = Table(
    "monitor",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("rules", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", LargeBinary),
    Column("evaluated_through", BigInteger),
    Column("news_since", BigInteger),
    Column("dirty_since", BigInteger),
)

marked = Table(
    "marked",
    metadata,
    Column("monitor", String(128), primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("until", BigInteger, primary_key=True),
    Column("why", Text, nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

incident = Table(
    "incident",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("monitor", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("track", String(16), nullable=False, server_default="storm"),
)
RUNNING = "state IN ('pending', 'open', 'acknowledged')"
"""In these very words a question is answered by the index incident_one_running."""
Index(
    "incident_one_running",
    incident.c.monitor,
    incident.c.track,
    unique=True,
    sqlite_where=text(RUNNING),
    postgresql_where=text(RUNNING),
)
Index("incident_by_monitor", incident.c.monitor, incident.c.track, incident.c.opened_at)

transition = Table(
    "transition",
    metadata,
    Column("incident", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("act", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

delivery = Table(
    "delivery",
    metadata,
    Column("key", String(256), primary_key=True),
    Column("incident", String(64), nullable=False),
    Column("channel", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("next_at", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Column("ref", String(128)),
)
Index("delivery_next", delivery.c.next_at)
Index("delivery_by_incident", delivery.c.incident, delivery.c.channel)
Index("delivery_by_ref", delivery.c.ref)

click = Table(
    "click",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("envelope", String(256), nullable=False, unique=True),
    Column("person", String(128), nullable=False),
    Column("at", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    UniqueConstraint("person", "at", name="click_once"),
)
Index("click_by_state", click.c.state)
Index("click_by_age", click.c.received_at)

silence = Table(
    "silence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ends", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

duty_override = Table(
    "duty_override",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("rota", String(64), nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

calendar = Table(
    "calendar",
    metadata,
    Column("rota", String(64), primary_key=True),
    Column("place", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("etag", Text, nullable=False, default="", server_default=""),
    Column("modified", Text, nullable=False, default="", server_default=""),
    Column("good_at", BigInteger),
    Column("tried_at", BigInteger, nullable=False),
    Column("trouble", Text, nullable=False, default="", server_default=""),
)

page = Table(
    "page",
    metadata,
    Column("person", String(64), primary_key=True),
    Column("key", String(256), primary_key=True),
    Column("at", BigInteger, nullable=False),
)

notice = Table(
    "notice",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", String(64), nullable=False),
    Column("subject", Text, nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    sqlite_autoincrement=True,
)
AUDIT_KEPT_DAYS = 365
"""A younger row of the audit can be neither changed nor deleted: the database itself refuses."""
_REFUSED = "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
_YOUNG = f"OLD.at > CAST(strftime('%s', 'now') AS INTEGER) - {AUDIT_KEPT_DAYS * 86_400}"
AUDIT_GUARDS = (
    f"CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit {_REFUSED}",
    f"CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit WHEN {_YOUNG} {_REFUSED}",
)
for _guard in AUDIT_GUARDS:
    # `%` would be a parameter's beginning.
    _made = DDL(_guard.replace("%", "%%"))  # type: ignore[no-untyped-call] # SQLAlchemy's
    event.listen(audit, "after_create", _made.execute_if(dialect="sqlite"))

tombstone = Table(
    "tombstone",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
    sqlite_with_rowid=False,
)
