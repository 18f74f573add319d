"""A strict Slack workspace in memory, behind an HTTP server on loopback that the real slack-sdk talks to."""

from peers.slack.faults import Fault, FaultPlan
from peers.slack.people import buttons
from peers.slack.server import SlackPeer
from peers.slack.workspace import APP_TOKEN, Bot, Channel, Seen, Workspace, read_state

__all__ = [
    "APP_TOKEN",
    "Bot",
    "Channel",
    "Fault",
    "FaultPlan",
    "Seen",
    "SlackPeer",
    "Workspace",
    "buttons",
    "read_state",
]
