"""A certificate for 127.0.0.1 and localhost, made when the tests begin."""

import ssl
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp


@cache
def certificate():
    """Return the paths of a certificate that signs itself and of its key."""
    home = Path(mkdtemp(prefix="brandmelder-tls-"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=home, check=True, capture_output=True,
    )  # fmt: skip
    return home / "cert.pem", home / "key.pem"


def server_context():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate())
    return context


def trusting_context():
    return ssl.create_default_context(cafile=certificate()[0])
