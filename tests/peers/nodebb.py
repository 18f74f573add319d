"""A real NodeBB 4 over Redis on 127.0.0.1, from a checkout that NODEBB names (CONTRIBUTING.md says how it is made).

The checkout is copied, set up anew for each run, and thrown away; its modules are linked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Self

from peers.wordpress.processes import Server, free_port

PASSWORD = "korrektes-pferd-batterie-1"


def checkout() -> str:
    """Return the checkout, or nothing."""
    return os.environ.get("NODEBB", "")


class NodeBb:
    """`with NodeBb() as forum`: `forum.url`, `forum.open(...)` a topic, `forum.reply(...)`."""

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="nodebb-"))
        self._servers: list[Server] = []
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._token = ""
        try:
            self._set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in reversed(self._servers):
            server.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _set_up(self) -> None:
        redis, port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = ["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._home)]
        self._serve(command, "redis.log")
        place = self._home / "nodebb"
        shutil.copytree(checkout(), place, ignore=shutil.ignore_patterns("node_modules", "config.json", ".git"))
        (place / "node_modules").symlink_to(Path(checkout()).resolve() / "node_modules")
        told = {
            "url": self.url,
            "secret": "e2e",
            "database": "redis",
            "redis:host": "127.0.0.1",
            "redis:port": str(redis),
            "redis:password": "",
            "redis:database": "0",
            "admin:username": "admin",
            "admin:password": PASSWORD,
            "admin:password:confirm": PASSWORD,
            "admin:email": "admin@example.test",
        }
        # It ends with 1 where it cannot build style sheets; what it stores is complete by then.
        subprocess.run(["node", "app.js", "--setup", json.dumps(told)], cwd=place, check=False, timeout=300)
        build = ["./nodebb", "build", "tpl", "lang", "plugins", "requirejs modules"]
        subprocess.run(build, cwd=place, check=True, timeout=300)
        config = json.loads((place / "config.json").read_text())
        (place / "config.json").write_text(json.dumps(config | {"bind_address": "127.0.0.1", "port": port}))
        self._serve(["/bin/sh", "-c", f"cd '{place}' && exec node app.js"], "nodebb.log").wait_for(self._is_ready)
        self._token = self._csrf()
        self.call("POST", "/api/v3/utilities/login", {"username": "admin", "password": PASSWORD})
        self._token = self._csrf()

    def _serve(self, command: list[str], log: str) -> Server:
        server = Server(command, log=self._home / log)
        self._servers.append(server)
        return server

    def _is_ready(self) -> bool:
        try:
            return bool(self._csrf())
        except (OSError, ValueError):
            return False

    def _csrf(self) -> str:
        with self._browser.open(f"{self.url}/api/config", timeout=10) as answer:
            return str(json.loads(answer.read())["csrf_token"])

    def open(self, title: str, text: str) -> int:
        """Open a topic in the first category; returns its number."""
        return int(self.call("POST", "/api/v3/topics", {"cid": 1, "title": title, "content": text})["response"]["tid"])

    def reply(self, topic: int, text: str) -> int:
        """Answer in a topic; returns the post's number."""
        return int(self.call("POST", f"/api/v3/topics/{topic}", {"content": text})["response"]["pid"])

    def delete(self, post: int) -> None:
        """Take a post away for good."""
        self.call("DELETE", f"/api/v3/posts/{post}")

    def call(self, method: str, path: str, told: dict[str, Any] | None = None) -> Any:
        """Ask the forum as its administrator."""
        sent = json.dumps(told).encode() if told is not None else None
        headers = {"content-type": "application/json", "x-csrf-token": self._token}
        request = urllib.request.Request(f"{self.url}{path}", data=sent, headers=headers, method=method)
        try:
            with self._browser.open(request, timeout=30) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error
