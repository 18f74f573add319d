"""X (API v2) with its bill: counts by minute or hour, recent search, posts by id, accounts. Prices of August 2026."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from brandmelder.demo.storm.wire import said

if TYPE_CHECKING:
    from brandmelder.demo.storm.posts import Post
    from brandmelder.demo.storm.wire import Question, Said, Wall

POST, COUNT, USER = 0.005, 0.005, 0.010
"""US dollars: a post read, a question for counts, an account read."""
_RECENT = timedelta(days=7)
_SOONEST = timedelta(seconds=10)
_FIRST = 1_990_000_000_000_000


class XFace:
    """Each edit is a post of its own, with a higher id; the first id names it."""

    def ident(self, post: Post) -> str:
        """Return the id under which it was first written."""
        return str((_FIRST + post.number) * 10)

    def answer(self, asked: Question, wall: Wall) -> Said:
        """Answer, and charge."""
        if asked.headers.get("authorization") != "Bearer token":
            return _problem(401, "unauthorized")
        match asked.path:
            case "/2/tweets":
                return self._by_id(asked, wall)
            case "/2/users/by":
                return _users(asked.query.get("usernames", "").split(","), wall)
            case "/2/tweets/counts/recent" | "/2/tweets/search/recent":
                return self._found(asked, wall)
        return _problem(404, "resource-not-found")

    def _found(self, asked: Question, wall: Wall) -> Said:
        since, until = _moment(asked.query["start_time"]), _moment(asked.query["end_time"])
        if until > wall.now - _SOONEST or since < wall.now - _RECENT or since >= until:
            return _problem(400, "invalid-request")
        found = [post for post in wall.newest_first() if since <= post.at < until]
        if asked.path == "/2/tweets/counts/recent":
            wall.bill.charge("counts", 1, COUNT)
            return said(_counts(found, (since, until), hourly=asked.query.get("granularity", "hour") == "hour"))
        return self._search(found, asked, wall)

    def _search(self, found: list[Post], asked: Question, wall: Wall) -> Said:
        size = int(asked.query.get("max_results", "10"))
        if not 10 <= size <= 100:
            return _problem(400, "invalid-request")
        older = asked.query.get("next_token") or asked.query.get("pagination_token", "")
        # It names the last post that was read: a deletion shifts nothing.
        rest = [post for post in found if not older or (int(post.at.timestamp()), post.number) < _place(older)]
        page = rest[:size]
        wall.bill.charge("posts", len(page), POST)
        meta: dict[str, Any] = {"result_count": len(page)}
        if len(page) < len(rest):
            meta["next_token"] = f"{int(page[-1].at.timestamp())}.{page[-1].number}"
        told: dict[str, Any] = {"meta": meta}
        if page:
            told["data"] = [self._post(post, asked, wall.now) for post in page]
        if "expansions" in asked.query:
            authors = sorted({post.author for post in page})
            wall.bill.charge("users", len(authors), USER)
            told["includes"] = {"users": [_user(name) for name in authors]}
        return said(told)

    def _by_id(self, asked: Question, wall: Wall) -> Said:
        wanted = asked.query.get("ids", "").split(",")
        there = {self.ident(post): post for post in wall.shown()}
        missing = [
            {
                "type": "https://api.x.com/2/problems/resource-not-found",
                "title": "Not Found Error",
                "detail": f"Could not find post with ids: [{one}].",
                "parameter": "ids",
                "value": one,
                "resource_id": one,
                "resource_type": "tweet",
            }
            for one in wanted
            if one not in there
        ]
        found = [self._post(there[one], asked, wall.now) for one in wanted if one in there]
        wall.bill.charge("posts", len(found), POST)
        return said(({"data": found} if found else {}) | ({"errors": missing} if missing else {}))

    def _post(self, post: Post, asked: Question, now: datetime) -> dict[str, Any]:
        """Write a post in the names that it was asked for in: those of the guides, or those of the schema."""
        word = "tweet" if "tweet.fields" in asked.query else "post"
        first = int(self.ident(post))
        versions = [str(first + number) for number in range(post.versions(now))]
        return {
            "id": versions[-1],
            "text": post.text_at(now),
            "author_id": post.author,
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            "lang": "de",
            f"edit_history_{word}_ids": versions,
            "conversation_id": versions[0],
        }


def _counts(found: list[Post], span: tuple[datetime, datetime], *, hourly: bool) -> dict[str, Any]:
    width = timedelta(hours=1) if hourly else timedelta(minutes=1)
    rows, (start, until) = [], span
    while start < until:
        end = min(until, start + width - (start - start.replace(minute=0, second=0)) % width)
        count = sum(start <= post.at < end for post in found)
        stamp = "%Y-%m-%dT%H:%M:%S.000Z"
        rows.append({"start": f"{start:{stamp}}", "end": f"{end:{stamp}}", "post_count": count})
        start = end
    return {"data": rows, "meta": {"total_post_count": len(found)}}


def _users(names: list[str], wall: Wall) -> Said:
    wall.bill.charge("users", len(names), USER)
    return said({"data": [_user(name) for name in names]})


def _user(name: str) -> dict[str, Any]:
    metrics = {"followers_count": 120, "following_count": 80, "post_count": 3, "listed_count": 0}
    return {"id": name, "name": name, "username": name, "public_metrics": metrics}


def _problem(status: int, kind: str) -> Said:
    told = {"title": kind, "detail": "no", "type": f"https://api.x.com/2/problems/{kind}", "status": status}
    return said(told, status)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _place(token: str) -> tuple[int, int]:
    moment, _, number = token.partition(".")
    return int(moment), int(number)
