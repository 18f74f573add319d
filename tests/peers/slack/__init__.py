"""A strict Slack workspace in memory, behind an HTTP server on loopback that the real slack-sdk talks to."""

from peers.slack.faults import Fault, FaultPlan
from peers.slack.server import SlackPeer
from peers.slack.workspace import Bot, Channel, Seen, Workspace, read_state

__all__ = ["Bot", "Channel", "Fault", "FaultPlan", "Seen", "SlackPeer", "Workspace", "read_state"]
