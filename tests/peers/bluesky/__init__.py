"""A real Bluesky in small: @atproto/dev-env over PostgreSQL and Redis, each in a process group that dies with us.

Its servers listen on all interfaces, so it only starts where there is none but loopback: in the network namespace that
tests/peers/real.sh makes. What it needs (362 MB) lies in a folder outside the repository.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from peers.wordpress.processes import Server, free_port

HERE = Path(__file__).parent
PDS, VIEW, DIRECTORY, OZONE = 2583, 2584, 2582, 2587
PASSWORD = "correct-horse"


def modules() -> Path:
    """Return where npm has put the development environment."""
    return Path(os.environ["BRANDMELDER_E2E_CACHE"]) / "bluesky" / "node_modules"


def missing() -> list[str]:
    """Return what is not there."""
    wanted = {"node": shutil.which("node"), "redis-server": shutil.which("redis-server"), "postgresql": _postgres()}
    found = [name for name, place in wanted.items() if not place]
    return found if (modules() / "@atproto" / "dev-env").is_dir() else [*found, "@atproto/dev-env"]


def is_alone() -> bool:
    """Whether this network has no interface but loopback."""
    return {name for _, name in socket.if_nameindex()} <= {"lo"}


def _postgres() -> str:
    """Return the folder of PostgreSQL's programs: Debian keeps them off the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[4]))
    found = str(versions[-1]) if versions else shutil.which("initdb")
    return str(Path(found).parent) if found else ""


class DevEnv:
    """`with DevEnv() as network`: `network.url` is an account's server; accounts join it and write."""

    url = f"http://localhost:{PDS}"
    view = f"http://localhost:{VIEW}"

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="bluesky-"))
        self._home.chmod(0o755)
        self._servers: list[Server] = []
        try:
            redis, postgres = self._redis(), self._database()
            self._start(redis, postgres)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in reversed(self._servers):
            server.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _redis(self) -> int:
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._home)]
        self._serve(command, "redis.log").wait_for(lambda: _listens(port))
        return port

    def _database(self) -> int:
        port, tools, place = free_port(), _postgres(), self._home / "postgres"
        place.mkdir()
        # PostgreSQL refuses to run as root.
        as_whom = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if as_whom:
            shutil.chown(place, "postgres")
        make = [*as_whom, f"{tools}/initdb", "-D", str(place), "-U", "postgres", "-A", "trust"]
        subprocess.run(make, check=True, capture_output=True, timeout=60, cwd="/")
        options = f"-c fsync=off -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={place}"
        run = [*as_whom, f"{tools}/postgres", "-D", str(place), *options.split()]
        ready = [f"{tools}/pg_isready", "-h", "127.0.0.1", "-p", str(port)]
        server = self._serve(run, "postgres.log")
        server.wait_for(lambda: subprocess.run(ready, check=False, capture_output=True).returncode == 0)
        return port

    def _start(self, redis: int, postgres: int) -> None:
        surroundings = os.environ | {
            "DB_POSTGRES_URL": f"postgresql://postgres@127.0.0.1:{postgres}/postgres",
            "REDIS_HOST": f"127.0.0.1:{redis}",
            "LOG_ENABLED": "false",
        }
        command = ["node", str(HERE / "network.cjs"), str(modules()), *map(str, (PDS, VIEW, DIRECTORY, OZONE))]
        server = self._serve(command, "network.log", surroundings)
        server.wait_for(lambda: "the network stands" in server.log.read_text(errors="replace"))

    def _serve(self, command: list[str], log: str, env: dict[str, str] | None = None) -> Server:
        server = Server(command, log=self._home / log, env=env)
        self._servers.append(server)
        return server

    # ------------------------------------------------------------------ people

    def join(self, name: str) -> Person:
        """Let somebody open an account."""
        told = {"handle": f"{name}.test", "email": f"{name}@example.test", "password": PASSWORD}
        found = call(self.url, "com.atproto.server.createAccount", told)
        return Person(self, found["handle"], found["did"], found["accessJwt"])

    def knows(self, uri: str) -> bool:
        """Whether the network's view shows a post."""
        return bool(call(self.view, f"app.bsky.feed.getPosts?uris={uri}")["posts"])


class Person:
    """Somebody with an account."""

    def __init__(self, network: DevEnv, handle: str, did: str, token: str) -> None:
        self.network, self.handle, self.did, self._token = network, handle, did, token

    def app_password(self) -> str:
        """Return an app password of this account."""
        found = call(self.network.url, "com.atproto.server.createAppPassword", {"name": "brandmelder"}, self._token)
        return str(found["password"])

    def write(self, text: str, at: str) -> str:
        """Write a post; returns its address in the network."""
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": at, "langs": ["de"]}
        told = {"repo": self.did, "collection": "app.bsky.feed.post", "record": record}
        return str(call(self.network.url, "com.atproto.repo.createRecord", told, self._token)["uri"])

    def delete(self, uri: str) -> None:
        """Take a post away."""
        told = {"repo": self.did, "collection": "app.bsky.feed.post", "rkey": uri.rpartition("/")[2]}
        call(self.network.url, "com.atproto.repo.deleteRecord", told, self._token)


def call(base: str, method: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    """Ask one of the network's servers."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    sent = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{base}/xrpc/{method}", data=sent, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method}: {error.code} {error.read()[:300]!r}") from error


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
