"""A real Dovecot on loopback: any user logs in with `secret`, letters arrive over LMTP."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
from typing import TYPE_CHECKING

from peers.wordpress.processes import Server, free_port

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

BINARY = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")

_CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = e2e
protocols = imap lmtp
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
log_path = {folder}/dovecot.log
mail_location = maildir:{folder}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
mail_max_userip_connections = 50
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  user = {user}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
"""


class Dovecot:
    """One server with its own folder."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None = None) -> None:
        self.folder = folder
        self.imap, self.imaps, self.lmtp = free_port(), free_port() if certificate else 0, free_port()
        for name in ("run", "state", "mail"):
            (folder / name).mkdir(parents=True)
        if os.geteuid() == 0:
            names = {"user": "nobody", "group": "nogroup", "internal": "dovecot", "login": "dovenull"}
            names["internal_group"] = "dovecot"
            for parent in (folder, *folder.parents):
                if parent.owner() == "root" and str(parent) != "/":
                    parent.chmod(parent.stat().st_mode | 0o055)
            shutil.chown(folder / "mail", "nobody", "nogroup")
        else:
            me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
            names = {"user": me, "group": group, "internal": me, "internal_group": group, "login": me}
        lines = "" if certificate is None else f"ssl_cert = <{certificate[0]}\nssl_key = <{certificate[1]}"
        config = _CONFIG.format(
            folder=folder,
            ssl="no" if certificate is None else "yes",
            certificate=lines,
            imap=self.imap,
            imaps=self.imaps,
            lmtp=self.lmtp,
            **names,
        )
        file = folder / "dovecot.conf"
        file.write_text(config)
        self._server = Server([str(BINARY), "-F", "-c", str(file)], log=folder / "out.log")
        self._server.wait_for(lambda: _listens(self.imap) and _listens(self.lmtp))

    def deliver(self, user: str, *letters: EmailMessage) -> None:
        """Let letters arrive."""
        with smtplib.LMTP("127.0.0.1", self.lmtp) as lmtp:
            for letter in letters:
                lmtp.send_message(letter, letter["From"] or "mia@example.com", [user])

    def run(self, *words: str) -> None:
        """Run doveadm."""
        doveadm = shutil.which("doveadm") or "/usr/bin/doveadm"
        subprocess.run([doveadm, "-c", str(self.folder / "dovecot.conf"), *words], check=True, capture_output=True)

    def stop(self) -> None:
        """Stop it and wait."""
        self._server.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
