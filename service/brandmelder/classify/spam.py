"""What is no utterance about anything: link farms, tag clouds, prize bait. Such mentions are kept and not counted."""

from __future__ import annotations

import re
from typing import Final

TAGS: Final = 8
"""Hashtags from which a text with few other words is a tag cloud."""
LINKS: Final = 4
HANDLES: Final = 10

_TAG = re.compile(r"#\w+")
_LINK = re.compile(r"https?://\S+")
_HANDLE = re.compile(r"@\w+")
_WORD = re.compile(r"\w{2,}")
_BAIT = re.compile(
    r"follow (?:me|back|for follow|4 follow)|folgt? mir zurück|gratis follower|free followers|"
    r"(?:bitcoin|krypto|crypto|forex)\W+(?:\w+\W+){0,6}(?:verdien|reich|profit|earn|signal)|"
    r"(?:verdien\w*|earn)\W+(?:\w+\W+){0,4}(?:pro tag|am tag|täglich|per day|daily|from home|von zu hause)|"
    r"(?:online ?casino|freispiele|free spins|viagra|onlyfans)|whats ?app\W+(?:\+?\d[\d ]{7,})",
    re.IGNORECASE,
)
_BAIT_SIGNS = (
    *("follow", "folg", "bitcoin", "krypto", "crypto", "forex", "verdien", "earn"),
    *("casino", "freispiele", "free spins", "viagra", "onlyfans", "whats"),
)
"""Every bait holds one of these: to look for them first is ten times as fast."""


def is_spam(text: str) -> bool:
    """Say whether a text is spam; only its first 2,000 characters are looked at."""
    head = text[:2000]
    links = head.count("://")
    if links >= LINKS and len(_WORD.findall(_LINK.sub(" ", head))) < 6 * links:
        return True
    if head.count("#") >= TAGS:
        tags = len(_TAG.findall(head))
        if tags >= TAGS and len(_WORD.findall(_TAG.sub(" ", head))) < 2 * tags:
            return True
    if head.count("@") >= HANDLES and len(_WORD.findall(_HANDLE.sub(" ", head))) < 10:
        return True
    folded = head.casefold()
    return any(sign in folded for sign in _BAIT_SIGNS) and _BAIT.search(head) is not None
