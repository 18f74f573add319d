"""What a channel may send through the one client, and what it learns when no answer comes."""

import socket
import ssl
from datetime import timedelta

import httpcore
import pytest

from brandmelder.capture.http import HttpClient, Limits, unheard
from brandmelder.errors import Blocked, Transient, Unanswered, Unsent
from peers.receiver import Answer, Receiver

HASTY = Limits(read=timedelta(seconds=0.3))


def exchange(limits=None, *, allow_private=True, **client):
    return HttpClient(**({"limits": limits} if limits else {}), **client).exchange(allow_private=allow_private)


async def test_a_message_is_sent_once_with_its_body_and_headers_and_any_status_is_an_answer():
    async with Receiver(lambda _: Answer(503, b"busy", {"X-Why": "load"})) as peer:
        answer = await exchange()("PUT", f"{peer.url}/a?b=c", headers={"X-Key": "k"}, body="ä".encode())
        (seen,) = peer.requests
        assert (seen.method, seen.path, seen.body, seen.headers["x-key"]) == ("PUT", "/a?b=c", "ä".encode(), "k")
        assert (answer.status, answer.body, answer.headers["x-why"]) == (503, b"busy", "load")


async def test_a_redirect_is_an_answer_and_is_not_followed():
    async with Receiver() as other, Receiver(lambda _: Answer(307, headers={"Location": other.url})) as peer:
        answer = await exchange()("POST", peer.url, headers={}, body=b"x")
        assert (answer.status, other.requests) == (307, [])


async def test_nothing_is_sent_to_a_place_inside_the_house_without_leave():
    async with Receiver() as peer:
        with pytest.raises(Unsent, match="not public") as caught:
            await exchange(allow_private=False)("POST", peer.url, headers={}, body=b"x")
        assert caught.value.is_final
        assert peer.connections == 0


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "ftp://example.org/", "http://", "http://[::ffff:0.0.0.0]/"]
)
async def test_some_places_are_never_reached(url):
    with pytest.raises(Unsent) as caught:
        await exchange()("POST", url, headers={}, body=b"x")
    assert caught.value.is_final


async def test_a_token_that_no_header_takes_is_certainly_not_sent():
    async with Receiver() as peer:
        with pytest.raises(Unsent, match="authorization holds a sign") as caught:
            await exchange()("POST", peer.url, headers={"Authorization": "Bearer gehei…m"}, body=b"x")
        assert caught.value.is_final
        assert "gehei" not in str(caught.value)
        assert peer.connections == 0


async def test_a_closed_port_and_an_unknown_name_are_certainly_nothing_arrived():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Unsent) as caught:
            await exchange()("POST", f"http://127.0.0.1:{free.getsockname()[1]}/", headers={}, body=b"x")
    assert not caught.value.is_final

    async def nowhere(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unsent, match="no address"):
        await exchange(resolve=nowhere)("POST", "https://nowhere.example/", headers={}, body=b"x")


@pytest.mark.parametrize("broken", ["close", "reset", "cut", "silent"])
@pytest.mark.parametrize("lands", [True, False])
async def test_a_lost_answer_says_nothing_about_the_message(broken, lands):
    async with Receiver() as peer:
        peer.plan(Answer(200, b"x" * 100, broken=broken, lands=lands))
        with pytest.raises(Unanswered):
            await exchange(HASTY)("POST", peer.url, headers={}, body=b"x")
        assert (len(peer.requests), peer.connections) == (int(lands), 1)


async def test_a_bomb_for_an_answer_is_no_answer():
    async with Receiver(lambda _: Answer(200, b"x" * (3 << 20))) as peer:
        with pytest.raises(Unanswered):
            await exchange()("POST", peer.url, headers={}, body=b"x")


def _connecting(cause):
    error = httpcore.ConnectError()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "is_final"),
    [
        (httpcore.ConnectError(), Unsent, False),
        (_connecting(ssl.SSLCertVerificationError("expired")), Unsent, False),
        (_connecting(OSError(113, "No route to host")), Unsent, False),
        (httpcore.ConnectTimeout(), Unsent, False),
        (httpcore.PoolTimeout(), Unsent, False),
        (Transient("the name x has no address"), Unsent, False),
        (Blocked("not public", "address"), Unsent, True),
        (Blocked("port", "port"), Unsent, True),
        (Blocked("file", "scheme"), Unsent, True),
        (Blocked("too large", "size"), Unanswered, None),
        (httpcore.ReadError(), Unanswered, None),
        (httpcore.ReadTimeout(), Unanswered, None),
        (httpcore.WriteError(), Unanswered, None),
        (httpcore.WriteTimeout(), Unanswered, None),
        (httpcore.RemoteProtocolError("cut"), Unanswered, None),
        (httpcore.LocalProtocolError("odd"), Unanswered, None),
        (TimeoutError(), Unanswered, None),
        (OSError(104, "Connection reset by peer"), Unanswered, None),
        (RuntimeError("anything else"), Unanswered, None),
    ],
    ids=repr,
)
def test_what_a_failed_exchange_says_about_the_message(error, kind, is_final):
    said = unheard(error)
    assert type(said) is kind
    assert getattr(said, "is_final", None) is is_final
