"""What the service counts and measures of itself, for Prometheus. Labels are our own ids and words, never foreign text.

The registry is one for the process, as the process is what is measured; tests look at differences.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from brandmelder import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REGISTRY = CollectorRegistry()
_SECONDS = (0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 20.0)
_MINUTES = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)


def _counter(name: str, says: str, *labels: str) -> Counter:
    return Counter(f"brandmelder_{name}", says, labels, registry=REGISTRY)


def _gauge(name: str, says: str, *labels: str) -> Gauge:
    return Gauge(f"brandmelder_{name}", says, labels, registry=REGISTRY)


def _histogram(name: str, says: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(f"brandmelder_{name}", says, buckets=buckets, registry=REGISTRY)


Info("brandmelder_build", "Which version runs.", registry=REGISTRY).info({"version": __version__})

# ------------------------------------------------------------------ capture
MENTIONS = _counter("mentions_ingested", "New mentions stored.", "source")
SOURCE_LAST_SUCCESS = _gauge("source_last_success_timestamp_seconds", "When a poll last went well.", "source")
SOURCE_LAST_ITEM = _gauge(
    "source_last_item_timestamp_seconds", "When the newest mention of this process was published.", "source"
)
SOURCE_BLIND_SINCE = _gauge("source_blind_since_timestamp_seconds", "Since when it is blind; 0 if it sees.", "source")
SOURCE_DOUBTED = _gauge(
    "source_doubted_since_timestamp_seconds", "Since when it is doubted though it answers; 0 if not.", "source", "kind"
)
SOURCE_ACCESS_ENDS = _gauge("source_access_ends_timestamp_seconds", "When our access ends; 0 if unknown.", "source")
SOURCE_CLOCK_OFFSET = _gauge("source_clock_offset_seconds", "How far its server's clock is ahead of ours.", "source")
POLL_LATENESS = _histogram("poll_lateness_seconds", "How long after its moment a poll began.", _MINUTES)
PARSE_CHILD_KILLED = _counter("parse_child_killed", "Parser processes that ended before their time.", "reason")
EGRESS_BLOCKED = _counter("egress_blocked", "Requests that our own rules refused.", "why")

# ----------------------------------------------------------- incident, notify
INCIDENTS_OPEN = _gauge("incidents_open", "Incidents that run and are told.")
DELIVERY_OLDEST = _gauge("delivery_oldest_seconds", "How long the oldest delivery has been in this state.", "state")
DELIVERIES = _counter("delivery_attempts", "Attempts, by what became of them.", "channel", "outcome")
DELIVERY_UNCLEAR = _counter("delivery_unclear", "Attempts whose answer was lost.")
DELIVERY_TWINS = _counter("delivery_twins_healed", "Second messages of one key that were taken away again.")
ALERT_LATENCY = _histogram(
    "alert_latency_seconds", "From the commit that opened an incident to a channel's confirmation.", _MINUTES
)
SOCKET_ALIVE = _gauge("socket_last_sign_timestamp_seconds", "When a chat's socket last gave a sign of life.", "line")

# ----------------------------------------------------------------- the house
LOOP_LAG = _gauge("loop_lag_seconds", "How late the event loop is.")
DB_COMMIT = _histogram("db_commit_seconds", "One transaction, from its beginning to its commit.", _SECONDS)
DISK_FREE = _gauge("disk_free_bytes", "Free where the database lies.")
DATABASE_SIZE = _gauge("database_bytes", "Size of the database with its journal.")
READY = _gauge("ready", "1 if /readyz would say so, else 0.")
HEARTBEAT_LAST = _gauge("heartbeat_last_success_timestamp_seconds", "When the last sign of life was taken outside.")
CANARY_LAST = _gauge("canary_last_success_timestamp_seconds", "When a canary last came through the whole chain.")
CANARY_SECONDS = _gauge("canary_seconds", "How long the last canary took from its parser to the edge of its delivery.")
RETENTION_FORGOTTEN = _counter("retention_forgotten", "What was emptied since its time had come.", "what")


def exposition() -> bytes:
    """Return everything in Prometheus' text format (CONTENT_TYPE)."""
    return generate_latest(REGISTRY)
