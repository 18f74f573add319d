"""YouTube's Data API: threads below a channel, their answers, a quota of units that ends at midnight on the Pacific.

A thread brings along five answers at most, and a new one does not lift it.
https://developers.google.com/youtube/v3/docs/commentThreads, .../comments, .../determine_quota_cost
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from brandmelder.demo.storm.threads import below, parents
from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

QUOTA: Final = 10_000
"""Units a day."""
CHANNEL: Final = "UC" + "n" * 22
VIDEO: Final = "nordfunkAAA"
_KEY: Final = "token"
_DAYS: Final = ZoneInfo("America/Los_Angeles")
_ALONG: Final = 5
_MOST: Final = 100
_MOST_IDS: Final = 50


class YouTubeFace:
    """The two lists of comments."""

    def __init__(self, quota: int = QUOTA) -> None:
        self._quota = quota

    def ident(self, post: Post) -> str:
        """Return the id of a comment; answers have ids of the same kind here."""
        return f"Ugw{post.number:06}AaABAg"

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer, and charge a unit, also for what is refused."""
        if asked.query.get("key") != _KEY:
            return _fault(400, "badRequest", "API key not valid. Please pass a valid API key.")
        day = f"units {wall.now.astimezone(_DAYS):%Y-%m-%d}"
        if wall.bill.units[day] >= self._quota:
            return self.refusal(wall)
        wall.bill.charge(day, 1, 0.0)
        if "snippet" not in asked.query.get("part", "").split(","):
            return _fault(400, "missingRequiredParameter", "No filter selected.")
        match asked.path:
            case "/v3/commentThreads":
                return self._threads(asked, wall)
            case "/v3/comments":
                return self._comments(asked, wall)
        return _fault(404, "notFound", "Not Found")

    def refusal(self, _wall: Wall) -> Said:
        """Say that the day's quota is spent."""
        told = "The request cannot be completed because you have exceeded your quota."
        return _fault(403, "quotaExceeded", told, domain="youtube.quota")

    def _threads(self, asked: Question, wall: Wall) -> Said:
        if asked.query.get("allThreadsRelatedToChannelId") != CHANNEL and asked.query.get("videoId") != VIDEO:
            return _fault(404, "videoNotFound", "The video cannot be found.")
        above, answers = parents(wall.posts), below(wall.posts)
        listed = [post for post in wall.newest_first() if post.number not in above]
        page, more = self._page(listed, asked)
        if page is None:
            return _fault(400, "invalidPageToken", "The request specifies an invalid page token.")
        items = [self._thread(post, answers.get(post.number, []), asked, wall.now) for post in page]
        return _list("commentThread", items, asked, len(listed), more)

    def _comments(self, asked: Question, wall: Wall) -> Said:
        if wanted := asked.query.get("id"):
            names = wanted.split(",")
            if len(names) > _MOST_IDS:
                return _fault(400, "invalidValue", "Too many ids.")
            found, above = {self.ident(post): post for post in wall.shown()}, parents(wall.posts)
            items = [self._comment(found[one], wall.now, above.get(found[one].number)) for one in names if one in found]
            return _list("comment", items, asked, None, "")
        there = {self.ident(post): post for post in wall.shown()}
        parent = there.get(asked.query.get("parentId", ""))
        if parent is None:
            return _fault(404, "commentNotFound", "One or more of the specified comments cannot be found.")
        answers = [one for one in below(wall.posts).get(parent.number, []) if one.is_shown(wall.now)]
        page, more = self._page(answers[::-1], asked)
        if page is None:
            return _fault(400, "invalidPageToken", "The request specifies an invalid page token.")
        return _list("comment", [self._comment(one, wall.now, parent) for one in page], asked, None, more)

    def _page(self, listed: Sequence[Post], asked: Question) -> tuple[Sequence[Post] | None, str]:
        """Return a page and the token of the next; the token names the last post: a deletion shifts nothing."""
        size = min(max(int(asked.query.get("maxResults", "20")), 1), _MOST)
        try:
            place = _read(asked.query["pageToken"]) if "pageToken" in asked.query else None
        except ValueError:
            return None, ""
        rest = [post for post in listed if place is None or (int(post.at.timestamp()), post.number) < place]
        page = rest[:size]
        return page, _token(page[-1]) if len(page) < len(rest) else ""

    def _thread(self, post: Post, answers: Sequence[Post], asked: Question, now: datetime) -> dict[str, Any]:
        shown = [one for one in answers if one.is_shown(now)]
        told: dict[str, Any] = {
            "kind": "youtube#commentThread",
            "etag": f"t{post.number}.{len(shown)}",
            "id": self.ident(post),
            "snippet": {
                "channelId": CHANNEL,
                "videoId": VIDEO,
                "topLevelComment": self._comment(post, now),
                "canReply": True,
                "totalReplyCount": len(shown),
                "isPublic": True,
            },
        }
        if shown and "replies" in asked.query.get("part", "").split(","):
            told["replies"] = {"comments": [self._comment(one, now, post) for one in shown[-_ALONG:]]}
        return told

    def _comment(self, post: Post, now: datetime, above: Post | None = None) -> dict[str, Any]:
        text, changed = post.text_at(now), post.edited_at(now) or post.at
        snippet = {
            "channelId": CHANNEL,
            "videoId": VIDEO,
            "textDisplay": text,
            "textOriginal": text,
            "authorDisplayName": f"@{post.author}",
            "authorProfileImageUrl": "https://yt3.ggpht.com/ytc/nobody",
            "authorChannelUrl": f"http://www.youtube.com/@{post.author}",
            "authorChannelId": {"value": f"UC{post.author:x<22}"},
            "canRate": True,
            "viewerRating": "none",
            "likeCount": 3,
            "publishedAt": _stamp(post.at),
            "updatedAt": _stamp(changed),
        }
        if above is not None:
            snippet["parentId"] = self.ident(above)
        return {
            "kind": "youtube#comment",
            "etag": f"c{post.number}.{post.versions(now)}",
            "id": self.ident(post),
            "snippet": snippet,
        }


def _list(kind: str, items: list[dict[str, Any]], asked: Question, total: int | None, more: str) -> Said:
    size = int(asked.query.get("maxResults", "20"))
    told: dict[str, Any] = {"kind": f"youtube#{kind}ListResponse", "etag": "e", "items": items}
    told["pageInfo"] = {"totalResults": total if total is not None else len(items), "resultsPerPage": size}
    return said(told | ({"nextPageToken": more} if more else {}))


def _token(post: Post) -> str:
    return base64.urlsafe_b64encode(f"{int(post.at.timestamp())}.{post.number}".encode()).decode()


def _read(token: str) -> tuple[int, int]:
    try:
        moment, _, number = base64.urlsafe_b64decode(token).decode().partition(".")
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(token) from error
    return int(moment), int(number)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def _fault(status: int, reason: str, message: str, *, domain: str = "youtube.commentThread") -> Said:
    errors = [{"message": message, "domain": domain, "reason": reason}]
    return said({"error": {"code": status, "message": message, "errors": errors}}, status)
