"""What a test does with a real WordPress: import a history, comment, approve, edit, trash, purge, unplug."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
from msgspec import Struct

from peers.wordpress.processes import Server, free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).parent
DISTRIBUTION = Path("/usr/share/wordpress")
PACKAGES = {
    "wordpress": DISTRIBUTION / "wp-load.php",
    "mariadb-server": Path("/usr/sbin/mariadbd"),
    "php-cli": Path("/usr/bin/php"),
    "php-mysql": Path("/etc/php"),
}
WORKERS = "4"


def missing_packages() -> tuple[str, ...]:
    """Return the Debian packages a WordPress needs and this machine has not."""
    return tuple(name for name, witness in PACKAGES.items() if not witness.exists())


class Comment(Struct, frozen=True, kw_only=True):
    """A comment of the history. `parent` counts back: -1 is the comment before this one; 0 is none."""

    text: str
    author: str
    date_gmt: datetime
    parent: int = 0


class WordPress:
    """A context manager: entered, it answers at `url` with one post and no comments; left, nothing of it remains."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.port, self._database_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.password = ""
        self._web: Server | None = None

    # ------------------------------------------------------------------ life

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.home = Path(tempfile.mkdtemp(prefix="wordpress-"))
            stack.callback(shutil.rmtree, self.home, ignore_errors=True)
            self.home.chmod(0o755)  # mysqld's own user has to reach its directories
            self._start_database(stack)
            self._install()
            self._client = stack.enter_context(
                httpx.Client(base_url=self.url, auth=("admin", self.password), timeout=60, trust_env=False)
            )
            stack.callback(self.unplug)
            self.plug_in()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _start_database(self, stack: ExitStack) -> None:
        datadir, run = self.home / "db", self.home / "run"
        account = []
        for directory in (datadir, run):
            directory.mkdir()
            if os.geteuid() == 0:
                shutil.chown(directory, "mysql", "mysql")
                account = ["--user=mysql"]
        flags = ["--auth-root-authentication-method=normal", "--skip-test-db", "--no-defaults"]
        _run(["mariadb-install-db", "--no-defaults", f"--datadir={datadir}", *flags[:2], *account])
        self._socket = run / "my.sock"
        command = ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={datadir}", f"--socket={self._socket}"]
        command += [f"--pid-file={run / 'my.pid'}", "--bind-address=127.0.0.1", f"--port={self._database_port}"]
        command += ["--skip-log-bin", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", *account]
        database = Server(command, log=self.home / "database.log")
        stack.callback(database.stop)
        database.wait_for(lambda: self._sql("select 1").returncode == 0)
        self._sql(
            "create database wp character set utf8mb4; create user wp@'127.0.0.1' identified by 'wp';"
            "grant all on wp.* to wp@'127.0.0.1'"
        ).check_returncode()

    def _install(self) -> None:
        site = self.home / "site"
        shutil.copytree(DISTRIBUTION, site, symlinks=False)
        (site / "wp-config.php").unlink(missing_ok=True)  # Debian's selects by host name
        shutil.copy(HERE / "wp-config.php", site)
        for script in ("install.php", "router.php", "history.php"):
            shutil.copy(HERE / script, self.home)
        settings = {"url": self.url, "database_port": self._database_port}
        (self.home / "settings.json").write_text(json.dumps(settings))
        self.password = self._php("install.php").splitlines()[-1]

    def plug_in(self) -> None:
        """Start the web server (again) under the same address."""
        command = ["php", "-S", f"127.0.0.1:{self.port}", "-t", str(self.home / "site"), str(self.home / "router.php")]
        self._web = Server(command, log=self.home / "web.log", env={**os.environ, "PHP_CLI_SERVER_WORKERS": WORKERS})
        self._web.wait_for(self._answers)

    def unplug(self) -> None:
        """Stop the web server: connections are refused, the database keeps everything."""
        if self._web is not None:
            self._web.stop()
            self._web = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/wp-json/", timeout=10, trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _sql(self, statement: str) -> subprocess.CompletedProcess[bytes]:
        command = ["mariadb", "--no-defaults", "-u", "root", "-S", str(self._socket), "-e", statement]
        return subprocess.run(command, capture_output=True, check=False, timeout=60)

    def _php(self, script: str, stdin: str = "") -> str:
        return _run(["php", str(self.home / script)], stdin)

    # -------------------------------------------------------------- comments

    def import_history(self, comments: Iterable[Comment], *, post: int = 1) -> list[int]:
        """Store approved comments of the past at once, in order; returns their ids. Not for the storm itself."""
        rows = (
            {
                "text": each.text,
                "author": each.author,
                "email": _mail(each.author),
                "parent": each.parent,
                "post": post,
                "date_gmt": each.date_gmt.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            }
            for each in comments
        )
        answer = self._php("history.php", "".join(json.dumps(row) + "\n" for row in rows))
        return [int(each) for each in json.loads(answer.splitlines()[-1])]

    def comment(self, text: str, author: str, date_gmt: datetime, *, status: str = "approved", parent: int = 0) -> int:
        """Write a comment through the REST API as the administrator and return its id."""
        body = {
            "post": 1,
            "author_name": author,
            "author_email": _mail(author),
            "content": text,
            "parent": parent,
            "status": status,
            "date_gmt": date_gmt.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        }
        return int(self.rest("POST", "comments", body)["id"])

    def approve(self, comment: int) -> None:
        """Release a comment that was held; its date stays that of its submission."""
        self.rest("POST", f"comments/{comment}", {"status": "approved"})

    def edit(self, comment: int, text: str) -> None:
        """Change a comment's text; no date tells of it."""
        self.rest("POST", f"comments/{comment}", {"content": text})

    def trash(self, comment: int) -> None:
        """Hide a comment; its number is kept."""
        self.rest("DELETE", f"comments/{comment}")

    def delete(self, comment: int) -> None:
        """Purge a comment for good."""
        self.rest("DELETE", f"comments/{comment}?force=true")

    def forget(self) -> None:
        """Remove all comments at once; numbers go on."""
        self._sql("delete from wp.wp_comments; delete from wp.wp_commentmeta").check_returncode()

    def article(self, title: str, text: str, date_gmt: datetime) -> int:
        """Publish a post in the blog and return its id."""
        stamp = date_gmt.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        body = {"title": title, "content": text, "status": "publish", "date_gmt": stamp}
        return int(self.rest("POST", "posts", body)["id"])

    def rest(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call `/wp-json/wp/v2/<path>` with the application password; raises on a refusal, with WordPress's words."""
        answer = self._client.request(method, f"/wp-json/wp/v2/{path}", json=body)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        result: dict[str, Any] = answer.json()
        return result


def _mail(author: str) -> str:
    local = "".join(letter for letter in author.lower() if letter.isascii() and letter.isalnum())
    return f"{local or secrets.token_hex(4)}@example.test"


def _run(command: list[str], stdin: str = "") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command[:2])}: exit {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}"
        )
    return done.stdout
