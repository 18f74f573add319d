"""Reviews in shops, each against a face that answers as its service is documented and checks who asks."""

from __future__ import annotations

import base64
import json
from datetime import UTC, timedelta
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from brandmelder.capture.sources.appstore import AppStoreOptions, AppStoreSource
from brandmelder.capture.sources.googlebusiness import GoogleBusinessOptions, GoogleBusinessSource
from brandmelder.capture.sources.googleplay import GooglePlayOptions, GooglePlaySource
from brandmelder.capture.stars import stars
from brandmelder.errors import AuthRefused, ShapeChanged
from brandmelder.model import SourceId
from brandmelder.options import Secret
from brandmelder.testing import Face, Said, SourceConformance
from brandmelder.testing.sources import HOUR, MINUTE

ONE = SourceId("one")
DAY = timedelta(days=1)


def pem(key):
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


APPLE, GOOGLE = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
UNAUTHORIZED = Said.json({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, status=401)


def test_stars_stand_before_the_title():
    assert [stars(2, "Absturz"), stars(5), stars(None, "ohne"), stars(9)] == ["★★☆☆☆ Absturz", "★★★★★", "ohne", ""]


def after(posts, token, size):
    """Return a page of what follows the post that a token names: deletions shift nothing."""
    if token:
        at, _, number = base64.urlsafe_b64decode(token).decode().partition(" ")
        posts = [one for one in posts if (one.at.isoformat(), one.number) < (at, int(number))]
    page = posts[:size]
    last = f"{page[-1].at.isoformat()} {page[-1].number}" if len(posts) > size else ""
    return page, base64.urlsafe_b64encode(last.encode()).decode()


# ------------------------------------------------------------- App Store Connect


class ConnectFace(Face):
    """App Store Connect: a token of at most twenty minutes, signed with the key; JSON:API with a next link."""

    def answer(self, asked):
        if asked.path == "/lookup":
            return lookup(asked)
        assert asked.path == "/v1/apps/1234567890/customerReviews"
        assert 1 <= int(asked.query["limit"]) <= 200
        assert asked.query["sort"] == "-createdDate"
        token = jwt.decode(asked.headers["authorization"].removeprefix("Bearer "), ECKey.import_key(pem(APPLE)))
        assert token.header == {"typ": "JWT", "alg": "ES256", "kid": "KEY1"}
        assert (token.claims["iss"], token.claims["aud"]) == ("issuer", "appstoreconnect-v1")
        now = self.now().timestamp()
        assert token.claims["exp"] - token.claims["iat"] <= 1_200
        if not token.claims["iat"] <= now < token.claims["exp"]:
            return Said.json({"errors": [{"status": "401", "code": "NOT_AUTHORIZED"}]}, status=401)
        page, following = after(self.newest_first(), asked.query.get("cursor"), int(asked.query["limit"]))
        links = {"self": asked.path} | (
            {"next": f"https://elsewhere.example/x?cursor={following}"} if following else {}
        )
        return Said.json({"data": [self._review(one) for one in page], "links": links})

    @staticmethod
    def _review(one):
        local = one.at.astimezone(UTC)
        attributes = {"rating": 1, "title": None, "body": one.text, "reviewerNickname": one.author,
                      "createdDate": local.isoformat(), "territory": "DEU"}  # fmt: skip
        attributes["title"] = ""
        return {"type": "customerReviews", "id": str(one.number), "attributes": attributes}


def lookup(asked):
    assert set(asked.query) == {"id", "country"}
    rows = [
        {"trackId": int(app), "trackName": f"App {app[:1]}", "averageUserRating": 4.1, "userRatingCount": 812}
        for app in asked.query["id"].split(",")
    ]
    body = json.dumps({"resultCount": len(rows), "results": rows}).encode()
    return Said(headers={"content-type": "text/javascript; charset=utf-8"}, body=b"\n\n" + body)


class TestAppStoreConnect(SourceConformance):
    page = 200
    follows_deletions = False

    def make_face(self):
        return ConnectFace()

    def make_source(self, tools, url, **options):
        values = {
            "type": "appstore", "app": "1234567890", "issuer_id": "issuer", "key_id": "KEY1", "feed_url": url,
            "private_key": Secret(pem(APPLE)), "url": url,
        } | options  # fmt: skip
        return AppStoreSource(ONE, AppStoreOptions(**values), tools)

    async def test_a_rating_that_cannot_be_read_keeps_no_review_back(self):
        async with self.reading() as stage:
            plain = stage.face.answer
            stage.face.answer = lambda one: Said(status=503) if one.path == "/lookup" else plain(one)
            stage.face.write(stage.now - HOUR, "Nordfunk stürzt ab")
            poll = await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk stürzt ab"}
            assert "ratings cannot be read" in poll.degraded
            stage.face.answer = plain
            stage.later(5 * MINUTE)
            assert "ratings cannot be read" in (await stage.reader.poll()).degraded
            stage.later(HOUR)
            poll = await stage.reader.poll()
            assert poll.readings
            assert not poll.degraded

    async def test_an_edit_is_followed(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "Nordfunk vorher")
            await stage.reader.poll()
            stage.face.edit(post, "Nordfunk nachher")
            stage.later(13 * HOUR)
            await stage.reader.poll()
            assert stage.reader.texts() == {"Nordfunk nachher"}

    async def test_what_is_released_late_is_found(self):
        async with self.reading() as stage:
            held = stage.face.write(stage.now - 30 * MINUTE, "Nordfunk spät", is_hidden=True)
            stage.face.write(stage.now - 20 * MINUTE, "Nordfunk")
            await stage.reader.poll()
            stage.face.posts[held.number].is_hidden = False
            stage.later(13 * HOUR)
            await stage.reader.poll()
            assert "Nordfunk spät" in stage.reader.texts()

    async def test_ratings_come_hourly_ours_beside_a_competitors(self):
        async with self.reading() as stage:
            stage.reader.source = self.make_source(stage.reader.source._tools, stage.url, compare=("99999",))
            readings = (await stage.reader.poll()).readings
            assert {(one.title, one.name, one.value, one.own) for one in readings} == {
                ("App 1", "rating", 4.1, True), ("App 1", "ratings", 812, True),
                ("App 9", "rating", 4.1, False), ("App 9", "ratings", 812, False),
            }  # fmt: skip
            stage.later(5 * MINUTE)
            assert not (await stage.reader.poll()).readings

    async def test_a_token_is_made_anew_before_it_ends(self):
        async with self.reading() as stage:
            for _ in range(4):
                stage.later(12 * MINUTE)
                await stage.reader.poll()

    async def test_a_key_that_is_none_is_told_without_showing_it(self):
        async with self.reading() as stage:
            tools = stage.reader.source._tools
            stage.reader.source = self.make_source(tools, stage.url, private_key=Secret("geheim, aber kein Schlüssel"))
            with pytest.raises(AuthRefused, match='source "one": the private key cannot be read') as told:
                await stage.reader.turn()
            assert "geheim" not in str(told.value)


class AppFeedFace(Face):
    """The public feed: fifty a page, ten pages, one review without a list, and sometimes nothing."""

    is_empty = False

    def answer(self, asked):
        if asked.path == "/lookup":
            return lookup(asked)
        _, country, _, _, page, app, sort, form = asked.path.split("/")
        assert (country, app, sort, form) == ("de", "id=1234567890", "sortby=mostrecent", "json")
        number = int(page.removeprefix("page="))
        assert 1 <= number <= 10
        shown = [] if self.is_empty else self.newest_first()[(number - 1) * 50 : number * 50]
        entries = [
            {"id": {"label": str(one.number)}, "author": {"name": {"label": one.author}, "uri": {"label": ""}},
             "updated": {"label": one.at.isoformat()}, "im:rating": {"label": "2"}, "im:version": {"label": "1.0"},
             "title": {"label": ""}, "content": {"label": one.text, "attributes": {"type": "text"}}}
            for one in shown
        ]  # fmt: skip
        feed = {"author": {"name": {"label": "iTunes Store"}}, "title": {"label": "Reviews"}}
        feed |= {"entry": entries if len(entries) > 1 else entries[0]} if entries else {}
        return Said.json({"feed": feed})


class TestAppStoreFeed(SourceConformance):
    page = 50
    follows_deletions = False

    def make_face(self):
        return AppFeedFace()

    def make_source(self, tools, url):
        return AppStoreSource(ONE, AppStoreOptions(type="appstore", app="1234567890", feed_url=url), tools)

    test_an_edit_is_followed = TestAppStoreConnect.test_an_edit_is_followed
    test_what_is_released_late_is_found = TestAppStoreConnect.test_what_is_released_late_is_found

    async def test_what_is_written_and_deleted_during_a_walk_hides_nothing_else(self):
        """Its pages are counted: a deletion during a walk shifts them, and the sweep of twelve hours finds the one."""

    async def test_a_feed_that_falls_empty_is_blind_and_not_calm(self):
        async with self.reading() as stage:
            stage.face.is_empty = True
            await stage.reader.poll()
            stage.face.is_empty = False
            stage.face.write(stage.now - HOUR)
            stage.later(5 * MINUTE)
            await stage.reader.poll()
            stage.face.is_empty = True
            with pytest.raises(ShapeChanged, match="the feed of de shows no reviews any more"):
                await stage.reader.turn()

    async def test_more_reviews_than_the_feed_shows_are_a_declared_gap(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "Nordfunk alt")
            await stage.reader.poll()
            stage.later(5 * MINUTE)
            for number in range(510):
                stage.face.write(stage.now - 4 * MINUTE + number % 200 * timedelta(seconds=1))
            await stage.reader.poll()
            (gap,) = stage.reader.gaps
            assert gap.reason == "only the newest 500 are shown, and all were new"


# ------------------------------------------------------------------ Google Play


class PlayFace(Face):
    """The Android Publisher API: a token for a signed assertion; reviews of a week, newest change first."""

    def __init__(self):
        super().__init__()
        self.changed, self.replied = {}, set()

    def edit(self, post, text):
        super().edit(post, text)
        self.changed[post.number] = self.now()

    def ident(self, post):
        return f"g{post.number}"

    def answer(self, asked):
        if asked.path == "/token":
            form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
            assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            token = jwt.decode(form["assertion"], RSAKey.import_key(pem(GOOGLE)))
            assert token.claims["scope"] == "https://www.googleapis.com/auth/androidpublisher"
            assert token.claims["aud"] == f"{self.url}/token"
            assert token.claims["exp"] - token.claims["iat"] <= 3_600
            return Said.json({"access_token": "ya29", "expires_in": 3599, "token_type": "Bearer"})
        if asked.headers.get("authorization") != "Bearer ya29":
            return UNAUTHORIZED
        assert asked.path == "/androidpublisher/v3/applications/com.nordfunk.app/reviews"
        assert int(asked.query["maxResults"]) <= 100
        shown = [one for one in self.newest_first() if self.at(one) >= self.now() - 7 * DAY]
        shown.sort(key=lambda one: (self.at(one), one.number), reverse=True)
        page, following = after(shown, asked.query.get("token"), int(asked.query["maxResults"]))
        told = {"reviews": [self._review(one) for one in page]} if page else {}
        return Said.json(told | ({"tokenPagination": {"nextPageToken": following}} if following else {}))

    def at(self, post):
        return self.changed.get(post.number, post.at)

    def _review(self, one):
        said = {"text": f"\t{one.text}", "starRating": 1, "reviewerLanguage": "de",
                "lastModified": {"seconds": str(int(self.at(one).timestamp())), "nanos": 1}}  # fmt: skip
        comments = [{"userComment": said}]
        if one.number in self.replied:
            reply = {"text": "Wir kümmern uns.", "lastModified": {"seconds": str(int(self.now().timestamp()))}}
            comments.append({"developerComment": reply})
        return {"reviewId": self.ident(one), "authorName": one.author, "comments": comments}


class TestGooglePlay(SourceConformance):
    follows_deletions = False

    def make_face(self):
        self.face = PlayFace()
        return self.face

    def make_source(self, tools, url, **options):
        account = {"type": "service_account", "client_email": "reader@nordfunk.iam", "private_key": pem(GOOGLE),
                   "private_key_id": "k1", "token_uri": f"{url}/token"}  # fmt: skip
        values = {"type": "googleplay", "package": "com.nordfunk.app", "url": url,
                  "service_account": Secret(json.dumps(account))} | options  # fmt: skip
        return GooglePlaySource(ONE, GooglePlayOptions(**values), tools)

    test_what_is_released_late_is_found = TestAppStoreConnect.test_what_is_released_late_is_found

    async def test_our_reply_is_a_response_to_the_review(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR)
            stage.face.replied.add(post.number)
            await stage.reader.poll()
            reply = stage.reader.stored["g1:reply"]
            assert (reply.own, reply.parent_id, reply.text) == (True, "g1", "Wir kümmern uns.")
            review = stage.reader.stored["g1"]
            assert (review.own, review.context, review.text) == (False, "★☆☆☆☆", "Nordfunk?")

    async def test_a_pause_of_more_than_a_week_is_a_declared_gap(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR)
            await stage.reader.poll()
            asked = stage.now
            stage.face.write(asked + HOUR, "Nordfunk verpasst")
            stage.later(9 * DAY)
            stage.face.write(stage.now - HOUR, "Nordfunk gesehen")
            await stage.reader.poll()
            (gap,) = stage.reader.gaps
            assert (gap.since, gap.until) == (asked, stage.now - 7 * DAY)
            assert "Nordfunk gesehen" in stage.reader.texts()

    async def test_a_key_that_is_none_is_told_without_showing_it(self):
        async with self.reading() as stage:
            tools = stage.reader.source._tools
            halved = '{"client_email": "x", "private_key": "geheim"}'
            for key, said in (("geheim", "is no service account's key"), (halved, "private key cannot be read")):
                stage.reader.source = self.make_source(tools, stage.url, service_account=Secret(key))
                with pytest.raises(AuthRefused, match=said) as told:
                    await stage.reader.turn()
                assert "geheim" not in str(told.value)


# -------------------------------------------------------------- Google Business


class BusinessFace(Face):
    """The Business Profile API: fifty a page, newest change first; a review can be asked for by itself."""

    PLACE = "accounts/1/locations/2"

    def __init__(self):
        super().__init__()
        self.replied = set()

    def ident(self, post):
        return f"{self.PLACE}/reviews/r{post.number}"

    def answer(self, asked):
        if asked.path == "/token":
            form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
            assert form == {"grant_type": "refresh_token", "client_id": "id", "client_secret": "secret",
                            "refresh_token": "once"}  # fmt: skip
            return Said.json({"access_token": "ya29", "expires_in": 3599})
        if asked.headers.get("authorization") != "Bearer ya29":
            return UNAUTHORIZED
        there = {f"/v4/{self.ident(one)}": one for one in self.newest_first()}
        if asked.path in there:
            return Said.json(self._review(there[asked.path]))
        if asked.path != f"/v4/{self.PLACE}/reviews":
            return Said.json({"error": {"code": 404, "status": "NOT_FOUND"}}, status=404)
        assert (asked.query["pageSize"], asked.query["orderBy"]) == ("50", "updateTime desc")
        page, following = after(self.newest_first(), asked.query.get("pageToken"), 50)
        told = {"reviews": [self._review(one) for one in page]} if page else {}
        told |= {"averageRating": 3.4, "totalReviewCount": len(there)}
        return Said.json(told | ({"nextPageToken": following} if following else {}))

    def _review(self, one):
        stamp = f"{one.at:%Y-%m-%dT%H:%M:%S}.123456Z"
        told = {"name": self.ident(one), "reviewId": f"r{one.number}", "reviewer": {"displayName": one.author},
                "starRating": "TWO", "createTime": stamp, "updateTime": stamp, "comment": one.text}  # fmt: skip
        reply = {"comment": "Wir kümmern uns.", "updateTime": stamp}
        return told | ({"reviewReply": reply} if one.number in self.replied else {})


class TestGoogleBusiness(SourceConformance):
    page = 50

    def make_face(self):
        return BusinessFace()

    def make_source(self, tools, url):
        secrets = {name: Secret(value) for name, value in
                   {"client_id": "id", "client_secret": "secret", "refresh_token": "once"}.items()}  # fmt: skip
        options = GoogleBusinessOptions(
            type="googlebusiness", locations=(BusinessFace.PLACE,), url=url, token_url=f"{url}/token", **secrets
        )
        return GoogleBusinessSource(ONE, options, tools)

    test_what_is_released_late_is_found = TestAppStoreConnect.test_what_is_released_late_is_found

    async def test_a_place_tells_its_rating_with_its_reviews(self):
        async with self.reading() as stage:
            post = stage.face.write(stage.now - HOUR, "(Translated by Google) Silent\n\n(Original)\nNordfunk schweigt")
            stage.face.replied.add(post.number)
            readings = (await stage.reader.poll()).readings
            assert {(one.account, one.name, one.value, one.own) for one in readings} == {
                (BusinessFace.PLACE, "rating", 3.4, True), (BusinessFace.PLACE, "reviews", 1, True),
            }  # fmt: skip
            review, reply = (stage.reader.stored[stage.face.ident(post) + end] for end in ("", ":reply"))
            assert (review.text, review.context) == ("Nordfunk schweigt", "★★☆☆☆")
            assert (reply.own, reply.parent_id) == (True, review.external_id)

    async def test_stars_without_words_are_a_mention_of_their_stars(self):
        async with self.reading() as stage:
            stage.face.write(stage.now - HOUR, "")
            await stage.reader.poll()
            assert [one.text for one in stage.reader.stored.values()] == ["★★☆☆☆"]
