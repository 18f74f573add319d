"""A network such as Bluesky's: a log read from a cursor on either wire, and an account's own server beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from brandmelder.testing import Face, Said

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POSTS = "app.bsky.feed.post"


def micros(moment):
    """Return a moment in microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


class JetstreamFace(Face):
    """A log of the network, read from a cursor, inclusive; and an account's own server beside it."""

    wires = (1, 2)
    keeps = timedelta(hours=36)

    def __init__(self):
        super().__init__()
        self.log = []
        self.searches = 0
        self.is_searchable = True
        self.profiles_answer = 200
        self.profiles_asked = 0
        self.number = 1_000

    def ident(self, post):
        return f"at://did:plc:{post.author}/{POSTS}/{post.number}"

    def happens(self, at, kind, did, **told):
        """Write down that something happened; the network's time only goes on."""
        before = self.log[-1]["at"] if self.log else 0
        self.number += 7
        self.log.append({"seq": self.number, "at": max(before + 1, micros(at)), "kind": kind, "did": did, **told})

    def write(self, at, text="Nordfunk?", **more):
        post = super().write(at, text, **more)
        self.happens(min(post.at, self.now()), "commit", f"did:plc:{post.author}", post=self._commit(post, "create"))
        return post

    def edit(self, post, text):
        super().edit(post, text)
        self.happens(self.now(), "commit", f"did:plc:{post.author}", post=self._commit(post, "update"))

    def delete(self, post):
        super().delete(post)
        self.happens(self.now(), "commit", f"did:plc:{post.author}", post=self._commit(post, "delete"))

    def leave(self, author):
        for post in [one for one in self.posts.values() if one.author == author]:
            super().delete(post)
        self.happens(self.now(), "account", f"did:plc:{author}", account={"active": False, "status": "deleted"})

    async def show(self):
        """Let the rest of the network talk."""
        self.happens(self.now(), "identity", "did:plc:anybody")

    def _commit(self, post, operation):
        told = {"rev": "3k", "operation": operation, "collection": POSTS, "rkey": str(post.number)}
        return told if operation == "delete" else told | {"record": self._record(post), "cid": "bafy"}

    def _record(self, post):
        return {
            "$type": POSTS,
            "text": post.text,
            "createdAt": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            "langs": ["de"],
            "embed": {"$type": "app.bsky.embed.images", "images": []},
        }

    # ------------------------------------------------------------------ wires

    def stream(self, asked):
        wire = {"/subscribe": 1, "/xrpc/network.bsky.jetstream.subscribeEvents": 2}.get(asked.path)
        if wire not in self.wires:
            return Said(status=404)
        assert asked.query["wantedCollections" if wire == 1 else "collections"] == POSTS
        assert asked.headers.get("sec-websocket-protocol") == (None if wire == 1 else "xrpc.v1.json")
        assert "Brandmelder" in asked.headers["user-agent"]
        floor = micros(self.now() - self.keeps)
        kept = [one for one in self.log if one["at"] >= floor]
        cursor = int(asked.query["cursor"])
        notes = []
        if wire == 2 and cursor < 10**15:
            if kept and cursor < kept[0]["seq"] and len(kept) < len(self.log):
                return Said.json({"error": "CursorTooOld", "message": "below the floor"}, status=400)
            return [self._second(one) for one in kept if one["seq"] >= cursor]
        if wire == 2 and cursor < floor:
            notes = [self._note("OutdatedCursor")]
        tell = self._first if wire == 1 else self._second
        return [*notes, *(tell(one) for one in kept if one["at"] >= cursor)]

    def _first(self, one):
        told = {"did": one["did"], "time_us": one["at"], "kind": one["kind"]}
        told |= {"commit": one["post"]} if "post" in one else {}
        told |= {"account": one["account"]} if "account" in one else {}
        return json.dumps(told).encode()

    def _second(self, one):
        at = EPOCH + timedelta(microseconds=one["at"])
        kind = f"network.bsky.jetstream.subscribeEvents#{one['kind']}"
        payload = {"$type": kind, "seq": one["seq"], "did": one["did"], "time": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"}
        payload |= one.get("post", {})
        payload |= {"account": one["account"]} if "account" in one else {}
        return json.dumps({"$type": "message", "payload": payload}).encode()

    def _note(self, name):
        payload = {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": name, "message": "starting at"}
        return json.dumps({"$type": "message", "payload": payload}).encode()

    # ---------------------------------------------------------------- account

    def answer(self, asked):
        if asked.path == "/xrpc/com.atproto.server.createSession":
            return Said.json({"accessJwt": "jwt", "did": "did:plc:nf"})
        if asked.path == "/xrpc/app.bsky.actor.getProfiles":
            self.profiles_asked += 1
            if self.profiles_answer != 200:
                return Said(status=self.profiles_answer)
            dids = [value for name, value in asked.pairs if name == "actors"]
            return Said.json({"profiles": [self._profile(did) for did in dids]})
        if asked.path == "/xrpc/app.bsky.feed.getPosts":
            wanted = {value for name, value in asked.pairs if name == "uris"}
            found = [post for post in self.newest_first() if self.ident(post) in wanted]
            return Said.json({"posts": [self._view(post) for post in found]})
        assert asked.path == "/xrpc/app.bsky.feed.searchPosts"
        assert asked.headers["authorization"] == "Bearer jwt"
        if not self.is_searchable:
            return Said(status=403, headers={"content-type": "text/html"}, body=b"<html>no</html>")
        self.searches += 1
        since, until = (datetime.fromisoformat(asked.query[name]) for name in ("since", "until"))
        start, size = int(asked.query.get("cursor", "0")), int(asked.query["limit"])
        listed = [post for post in self.newest_first() if since <= post.at < until]
        told = {"posts": [self._view(post) for post in listed[start : start + size]]}
        return Said.json(told | ({"cursor": str(start + size)} if start + size < len(listed) else {}))

    def _profile(self, did):
        return {"did": did, "handle": f"{did.rpartition(':')[2]}.example", "followersCount": 420}

    def _view(self, post):
        return {
            "uri": self.ident(post),
            "cid": "bafy",
            "author": self._profile(f"did:plc:{post.author}"),
            "record": self._record(post),
            "indexedAt": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
        }
