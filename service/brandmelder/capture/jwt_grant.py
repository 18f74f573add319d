"""Tokens that a program signs for itself: Apple's for its store (ES256), Google's that buy another (RS256).

RFC 7519, RFC 7523. The library comes with the extra `reviews`, and is loaded when the first token is signed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlencode

from brandmelder.capture.credentials import Grant
from brandmelder.errors import AuthRefused, to_have

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LIFE: Final = timedelta(minutes=15)
"""Apple refuses more than 20 minutes, Google more than an hour."""
_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def signed_token(
    claims: Mapping[str, str], key: str, *, algorithm: Literal["ES256", "RS256"], ident: str, now: datetime
) -> str:
    """Return a token that holds for a quarter of an hour. Raises AuthRefused for a key that is none."""
    try:
        from joserfc import jwt  # noqa: PLC0415 - an extra
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415
    except ImportError:
        raise AuthRefused(f"the token cannot be signed; {to_have('reviews')}") from None
    times = {"iat": int(now.timestamp()), "exp": int((now + LIFE).timestamp())}
    try:
        read = (ECKey if algorithm == "ES256" else RSAKey).import_key(key)
        return jwt.encode({"alg": algorithm, "kid": ident}, {**claims, **times}, read, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        raise AuthRefused("the private key cannot be read; give the file as it was downloaded") from None


def bearer_grant(address: str, claims: Mapping[str, str], key: str, *, ident: str, now: datetime) -> Grant:
    """Return how Google is asked for a token (a service account's)."""
    assertion = signed_token({**claims, "aud": address}, key, algorithm="RS256", ident=ident, now=now)
    return Grant(url=address, form=urlencode({"grant_type": _BEARER, "assertion": assertion}))
