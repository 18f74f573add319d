"""The second factor of an account: six digits that a phone makes anew every thirty seconds (TOTP, RFC 6238)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from brandmelder.errors import PluginError, to_have

if TYPE_CHECKING:
    from datetime import datetime
    from types import ModuleType

_BESIDE: Final = (0, -1, 1)
"""Steps of thirty seconds that a phone's clock may be off (RFC 6238, 5.2)."""
_DIGITS: Final = 6


def new_seed() -> str:
    """Return a seed of 160 random bits, in base 32 (RFC 4226, section 4, R6)."""
    return str(_pyotp().random_base32())


def address(seed: str, *, name: str, issuer: str) -> str:
    """Return the `otpauth:` address that a phone reads from the picture."""
    return str(_pyotp().TOTP(seed).provisioning_uri(name=name, issuer_name=issuer))


def picture(uri: str) -> str:
    """Return a QR code of an address as a `data:` image."""
    try:
        import segno  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise PluginError(f"a second factor needs segno; {to_have('web')}") from error
    return str(segno.make(uri, micro=False).svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


def matching_step(seed: str, digits: str, now: datetime) -> int | None:
    """Return the step of time whose digits these are; None for wrong ones.

    Whoever lets somebody in by it remembers the step, and lets nobody in by it or an earlier one again (RFC 6238, 5.2).
    """
    typed = "".join(digits.split())
    if len(typed) != _DIGITS or not (typed.isascii() and typed.isdecimal()):
        return None
    generator = _pyotp().TOTP(seed)
    present = int(generator.timecode(now))
    right = [step for step in (present + beside for beside in _BESIDE) if _same(generator.generate_otp(step), typed)]
    return right[0] if right else None


def _same(made: str, typed: str) -> bool:
    return hmac.compare_digest(made.encode(), typed.encode())


def _pyotp() -> ModuleType:
    try:
        import pyotp  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise PluginError(f"a second factor needs pyotp; {to_have('web')}") from error
    return pyotp
