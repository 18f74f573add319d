"""Who sent a webhook: signatures after Standard Webhooks 1.0, or a bearer token where a sender can do no more.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

SKEW: Final = timedelta(minutes=5)
"""How far a signature's time may be from ours."""
KEY_BYTES: Final = range(24, 65)
_LONGEST_ID: Final = 256
_VERSION: Final = "v1"


def signing_key(secret: str) -> bytes:
    """Return the key that a secret (`whsec_…`) holds. Raises ValueError that says what would be right."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in KEY_BYTES:
        raise ValueError("is no signing secret: whsec_ and the base64 of 24 to 64 bytes; make one anew at the sender")
    return key


def signing_keys(secrets: str) -> list[bytes]:
    """Return the keys of one or several secrets, apart by blanks or lines. Raises ValueError as `signing_key` does."""
    return [signing_key(one) for one in secrets.split() or [""]]


def sign(key: bytes, ident: str, stamp: str, body: bytes) -> str:
    """Return the signature of a message as it stands in the header, with its version."""
    signed = f"{ident}.{stamp}.".encode() + body
    return f"{_VERSION},{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def signed_by(headers: Mapping[str, str], body: bytes, keys: Iterable[bytes], now: datetime) -> str | None:
    """Return the message's id if one of the keys signed it just now, else None, whatever is wrong with it.

    Several signatures may stand in the header, of the old and the new key while one is replaced; those of versions that
    are not known are passed over.
    """
    ident, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not ident or "." in ident or len(ident) > _LONGEST_ID or not ident.isascii() or not ident.isprintable():
        return None
    if not stamp.isascii() or not stamp.isdigit() or abs(now.timestamp() - int(stamp[:12])) > SKEW.total_seconds():
        return None
    given = [one.encode("utf-8", "replace") for one in headers.get("webhook-signature", "").split(" ")][:16]
    proper = [sign(key, ident, stamp, body).encode() for key in keys]
    is_signed = False
    for one in given:
        for right in proper:
            is_signed |= hmac.compare_digest(one, right)
    return ident if is_signed else None


def bears(headers: Mapping[str, str], token: str) -> bool:
    """Whether the request carries the token."""
    told = headers.get("authorization", "").encode("utf-8", "replace")
    return hmac.compare_digest(told, f"Bearer {token}".encode())
