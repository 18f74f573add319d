"""A real Matrix homeserver (Synapse with SQLite) on 127.0.0.1, with an account, its token and a room."""

import hashlib
import hmac
import importlib.util
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

SECRET = "shared-for-the-tests"
IS_THERE = importlib.util.find_spec("synapse") is not None
CONFIG = """
server_name: peer.example
report_stats: false
pid_file: {home}/pid
signing_key_path: {home}/signing.key
media_store_path: {home}/media
macaroon_secret_key: macaroon
form_secret: form
registration_shared_secret: {secret}
suppress_key_server_warning: true
trusted_key_servers: []
federation_domain_whitelist: []
database: {{name: sqlite3, args: {{database: {home}/homeserver.db}}}}
listeners:
  - {{port: {port}, tls: false, type: http, bind_addresses: [127.0.0.1], resources: [{{names: [client]}}]}}
rc_message: {{per_second: 1000, burst_count: 1000}}
rc_login: {{address: {{per_second: 1000, burst_count: 1000}}, account: {{per_second: 1000, burst_count: 1000}}}}
"""


class Synapse:
    """`with Synapse(folder) as peer`: `peer.url`, `peer.token`, `peer.room`, `peer.login()`, `peer.events()`."""

    def __init__(self, home: Path):
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        config = self.home / "homeserver.yaml"
        config.write_text(CONFIG.format(home=self.home, port=self.port, secret=SECRET))
        command = [sys.executable, "-m", "synapse.app.homeserver", "-c", str(config)]
        subprocess.run([*command, "--generate-keys"], cwd=self.home, check=True, capture_output=True, timeout=120)
        with (self.home / "output").open("wb") as output:
            self._process = subprocess.Popen(command, cwd=self.home, stdout=output, stderr=output)
        try:
            self._wait()
            self._register()
            self.token = self.login()
            self.room = self.new_room()
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self):
        for _ in range(600):
            try:
                return self.ask("GET", "/_matrix/client/versions")
            except (urllib.error.URLError, ConnectionError):
                if self._process.poll() is not None:
                    raise RuntimeError((self.home / "output").read_text("utf-8")[-2000:]) from None
                time.sleep(0.2)
        raise RuntimeError("Synapse does not come up")

    def _register(self):
        path = "/_synapse/admin/v1/register"
        nonce = self.ask("GET", path)["nonce"]
        mark = hmac.new(SECRET.encode(), b"\0".join([nonce.encode(), b"alarm", b"pass", b"notadmin"]), hashlib.sha1)
        said = {"nonce": nonce, "username": "alarm", "password": "pass", "admin": False, "mac": mark.hexdigest()}
        self.ask("POST", path, said)

    def login(self):
        who = {"type": "m.id.user", "user": "alarm"}
        said = {"type": "m.login.password", "identifier": who, "password": "pass"}
        return self.ask("POST", "/_matrix/client/v3/login", said)["access_token"]

    def new_room(self, **fields):
        return self.ask("POST", "/_matrix/client/v3/createRoom", {"name": "crisis", **fields}, token=self.token)[
            "room_id"
        ]

    def events(self, room=None):
        """Return the messages of a room, oldest first."""
        path = f"/_matrix/client/v3/rooms/{quote(room or self.room)}/messages?dir=f&limit=500"
        chunk = self.ask("GET", path, token=self.token)["chunk"]
        return [one for one in chunk if one["type"] == "m.room.message"]

    def event(self, ident):
        path = f"/_matrix/client/v3/rooms/{quote(self.room)}/event/{quote(ident)}"
        return self.ask("GET", path, token=self.token)

    def ask(self, method, path, body=None, *, token=None):
        request = urllib.request.Request(self.url + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
