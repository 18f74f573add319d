"""A real server of Mastodon's API: GoToSocial 0.20 on 127.0.0.1, from a binary that GOTOSOCIAL names (CONTRIBUTING.md).

Its templates and assets are looked for beside the binary (`web/template`, `web/assets`), as its releases are packed.
"""

from __future__ import annotations

import html
import json
import os
import re
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

NOWHERE = "urn:ietf:wg:oauth:2.0:oob"
PASSWORD = "korrektes-pferd-batterie-1"
CONFIG = """\
host: localhost:{port}
account-domain: localhost:{port}
protocol: http
bind-address: 127.0.0.1
port: {port}
db-type: sqlite
db-address: {home}/sqlite.db
web-template-base-dir: {web}/template/
web-asset-base-dir: {web}/assets/
storage-local-base-path: {home}/storage
advanced-rate-limit-requests: 0
advanced-throttling-multiplier: 0
"""


def binary() -> str:
    """Return the binary, or nothing."""
    return os.environ.get("GOTOSOCIAL", "")


class GoToSocial:
    """`with GoToSocial(["mia"]) as server`: `server.url`, `server.token(name)`, `server.write(...)`."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="gotosocial-"))
        config = self._home / "config.yaml"
        web = Path(binary()).resolve().parent / "web"
        config.write_text(CONFIG.format(port=self.port, home=self._home, web=web))
        self._command = [binary(), "--config-path", str(config)]
        # An account is made while no server runs: one that still migrates would be harmed.
        self._start()
        self._server.stop()
        for name in self._names:
            made = ["admin", "account", "create", "--username", name, "--email", self._mail(name)]
            command = [*self._command, *made, "--password", PASSWORD]
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _start(self) -> None:
        self._server = Server([*self._command, "server", "start"], log=self._home / "log")
        self._server.wait_for(self._is_ready)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(_request(f"{self.url}/readyz"), timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _mail(self, name: str) -> str:
        return f"{name}@example.test"

    def token(self, name: str) -> str:
        """Return an access token, by the way a browser would go."""
        told = {"client_name": "e2e", "redirect_uris": NOWHERE, "scopes": "read write"}
        app = self.call("POST", "/api/v1/apps", told)
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        asked = {"client_id": app["client_id"], "redirect_uri": NOWHERE, "response_type": "code", "scope": "read write"}
        place = f"{self.url}/oauth/authorize?{urllib.parse.urlencode(asked)}"
        browser.open(_request(place), timeout=30).read()
        login = urllib.parse.urlencode({"username": self._mail(name), "password": PASSWORD}).encode()
        browser.open(_request(f"{self.url}/auth/sign_in", login), timeout=30).read()
        with browser.open(_request(f"{self.url}/oauth/authorize", b""), timeout=30) as answer:
            page, where = answer.read().decode(), answer.url
        code = re.search(r"[?&]code=([^&\s\"<]+)", where) or re.search(r"<code[^>]*>\s*([^\s<]+)", page)
        assert code is not None, page[:500]
        told = {
            "client_id": app["client_id"],
            "client_secret": app["client_secret"],
            "redirect_uri": NOWHERE,
            "grant_type": "authorization_code",
            "code": html.unescape(urllib.parse.unquote(code[1])),
        }
        return str(self.call("POST", "/oauth/token", told)["access_token"])

    def write(self, token: str, text: str) -> str:
        """Write a public post; returns its id."""
        return str(self.call("POST", "/api/v1/statuses", {"status": text, "visibility": "public"}, token)["id"])

    def delete(self, token: str, ident: str) -> None:
        """Take a post away."""
        self.call("DELETE", f"/api/v1/statuses/{ident}", None, token)

    def call(self, method: str, path: str, told: dict[str, str] | None = None, token: str = "") -> Any:
        """Ask the server."""
        sent = urllib.parse.urlencode(told).encode() if told is not None else None
        request = _request(f"{self.url}{path}", sent, method, token)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error


def _request(url: str, sent: bytes | None = None, method: str | None = None, token: str = "") -> urllib.request.Request:
    headers = {"user-agent": "brandmelder-e2e", "accept": "application/json, text/html"}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    return urllib.request.Request(url, data=sent, headers=headers, method=method)
