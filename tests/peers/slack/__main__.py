"""`python -m peers.slack --port 0 --state seen.jsonl`: the peer on its own, for tests across processes.

Prints its address, then serves until it is ended. Every change that people see is appended to the state file and read
back at the next start; `GET /_peer/visible/C0123456789` and `POST /_peer/faults/chat.postMessage` look and meddle.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from pathlib import Path

from peers.slack.server import SlackPeer
from peers.slack.workspace import CHANNEL, TOKEN, Bot, Channel, Workspace, read_state


def arguments():
    parser = argparse.ArgumentParser(prog="python -m peers.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, help="JSON lines, one for each change")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--channel", default=CHANNEL)
    return parser.parse_args()


async def serve(options):
    workspace = Workspace()
    workspace.bots = {options.token: Bot(token=options.token)}
    workspace.channels = {options.channel: Channel(id=options.channel)}
    if options.state is not None:
        if options.state.exists():
            for seen in read_state(options.state):
                workspace.put(seen)
        workspace.log = lambda change: _append(options.state, change)
    async with SlackPeer(workspace=workspace, port=options.port) as peer:
        sys.stdout.write(f"{peer.url}\n")
        sys.stdout.flush()
        while True:
            await asyncio.sleep(0.2)
            workspace.visible()  # what comes late is written down without being asked for


def _append(path, change):
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(change) + "\n")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments()))
