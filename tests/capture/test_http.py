from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import zlib
from datetime import timedelta
from email.utils import format_datetime

import pytest

from brandmelder.capture.http import HttpClient, Limits, user_agent
from brandmelder.errors import AuthRefused, Blocked, Gone, RateLimited, ShapeChanged, SourceError, Transient
from brandmelder.model import SourceId
from capture.conftest import CURT, HASTY, NOW, SMALL
from capture.hostile_server import HostileServer, reply

PRESS = SourceId("press")


@pytest.fixture
def hasty():
    return HttpClient(limits=HASTY).bind(source=PRESS, allow_private=True)


@pytest.fixture
def curt():
    return HttpClient(limits=CURT).bind(source=PRESS, allow_private=True)


async def failure(fetch, url, **more) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await fetch(url, now=NOW, **more)
    assert str(caught.value).startswith('source "press": ')
    return caught.value


# ------------------------------------------------------------------- answers


async def test_a_whole_answer_comes_back_with_lower_case_headers_and_without_cookies(server, fetch):
    url = server.on("/feed", reply(200, b"<rss/>", {"ETag": '"1"', "Set-Cookie": "a=b", "X-A": "1", "x-a": "2"}))
    answer = await fetch(url, now=NOW)
    assert (answer.status, answer.body, answer.url) == (200, b"<rss/>", url)
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["x-a"] == "1, 2" or answer.headers["x-a"] == "2"
    assert "set-cookie" not in answer.headers


async def test_it_says_who_it_is_and_asks_for_gzip_only(server):
    client = HttpClient(user_agent=user_agent("+https://brandmelder.example", "ops@acme.example"))
    await client.bind(source=PRESS, allow_private=True)(server.on("/", reply()), now=NOW)
    await client.close()
    sent = server.requests[0].headers
    assert sent["user-agent"].startswith("Brandmelder/")
    assert sent["user-agent"].endswith(" (+https://brandmelder.example; ops@acme.example)")
    assert sent["accept-encoding"] == "gzip"
    assert sent["host"] == f"127.0.0.1:{server.port}"


async def test_the_clock_of_a_server_is_noted_once_a_poll(server):
    client = HttpClient()
    fetch = client.bind(source=PRESS, allow_private=True)
    late = server.on("/late", reply(200, b"x", {"Date": format_datetime(NOW + timedelta(minutes=20), usegmt=True)}))
    right = server.on("/right", reply(200, b"x", {"Date": format_datetime(NOW, usegmt=True)}))
    silent = server.on("/silent", reply(200, b"x"))
    await fetch(silent, now=NOW)
    assert client.meter.offset(PRESS) is None
    await fetch(late, now=NOW)
    await fetch(right, now=NOW)
    assert timedelta(minutes=19) < client.meter.offset(PRESS) <= timedelta(minutes=20)
    client.meter.begin(PRESS)
    assert client.meter.offset(PRESS) is None
    await fetch(right, now=NOW)
    assert abs(client.meter.offset(PRESS)) < timedelta(minutes=1)
    await client.close()


async def test_gzip_is_inflated(server, fetch):
    text = b"Nordfunk " * 5000
    url = server.on("/", reply(200, gzip.compress(text), {"Content-Encoding": "gzip"}))
    assert (await fetch(url, now=NOW)).body == text


async def test_chunked_gzip_of_several_members_is_inflated(server, fetch):
    body = gzip.compress(b"one, ") + gzip.compress(b"two")
    chunks = b"".join(b"1\r\n" + body[i : i + 1] + b"\r\n" for i in range(len(body))) + b"0\r\n\r\n"
    answer = reply(200, chunks, {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}, length=False)
    assert (await fetch(server.on("/", answer), now=NOW)).body == b"one, two"


async def test_an_empty_answer_is_an_empty_body_even_if_it_claims_to_be_compressed(server, fetch):
    assert (await fetch(server.on("/", reply(200, b"", {"Content-Encoding": "gzip"})), now=NOW)).body == b""


async def test_not_modified_is_an_answer_to_a_conditional_question(server, fetch):
    url = server.on("/", reply(304, b"", {"ETag": '"1"'}, length=False))
    answer = await fetch(url, now=NOW, headers={"If-None-Match": '"1"'})
    assert answer.status == 304
    assert answer.body == b""


async def test_not_modified_without_a_condition_is_a_broken_cache(server, fetch):
    assert isinstance(await failure(fetch, server.on("/", reply(304, length=False))), Transient)


# ------------------------------------------------------------------ statuses


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (204, ShapeChanged, "mend its url"),
        (206, ShapeChanged, "mend its url"),
        (300, ShapeChanged, "mend its url"),
        (301, ShapeChanged, "mend its url"),
        (400, ShapeChanged, "mend its url"),
        (406, ShapeChanged, "mend its url"),
        (418, ShapeChanged, "mend its url"),
        (401, AuthRefused, "credentials"),
        (402, AuthRefused, "credentials"),
        (403, AuthRefused, "credentials"),
        (404, Gone, "remove it"),
        (410, Gone, "remove it or mend its url"),
        (451, Gone, "remove it"),
        (408, Transient, "next poll"),
        (425, Transient, "next poll"),
        (500, Transient, "next poll"),
        (502, Transient, "next poll"),
        (503, Transient, "next poll"),
        (599, Transient, "next poll"),
    ],
)
async def test_every_status_becomes_an_error_that_says_what_to_do(server, fetch, status, kind, advice):
    error = await failure(fetch, server.on("/", reply(status, b"", length=status not in {204, 304})))
    assert type(error) is kind
    assert f"answered {status}" in str(error)
    assert advice in str(error)
    assert "Whatever" not in str(error), "the server's own words are hostile"


async def test_gone_reads_as_promised(server, fetch):
    error = await failure(fetch, server.on("/", reply(410)))
    assert str(error) == 'source "press": answered 410 Gone; remove it or mend its url'


async def test_a_bot_protection_is_named(server, fetch):
    error = await failure(fetch, server.on("/", reply(403, b"", {"cf-mitigated": "challenge"})))
    assert isinstance(error, AuthRefused)
    assert "bot protection" in str(error)


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {}, timedelta(minutes=5)),
        (429, {"Retry-After": "120"}, timedelta(seconds=120)),
        (429, {"Retry-After": "90.5"}, timedelta(seconds=90)),
        (429, {"Retry-After": "0"}, timedelta(seconds=60)),
        (429, {"Retry-After": "1000000000"}, timedelta(days=2)),
        (429, {"Retry-After": "9" * 400}, timedelta(minutes=5)),
        (429, {"Retry-After": "soon"}, timedelta(minutes=5)),
        (429, {"Retry-After": "-5"}, timedelta(minutes=5)),
        (429, {"Retry-After": "Fri, 20 Nov 2026 13:10:00 GMT"}, timedelta(minutes=10)),
        (
            429,
            {"Retry-After": "Fri, 20 Nov 2026 14:10:00 GMT", "Date": "Fri, 20 Nov 2026 14:00:00 GMT"},
            timedelta(minutes=10),
        ),
        (429, {"Retry-After": "Fri, 20 Nov 2020 13:10:00 GMT"}, timedelta(seconds=60)),
        (429, {"Retry-After": "Fri, 20 Nov 2099 13:10:00 GMT"}, timedelta(days=2)),
        (503, {"Retry-After": "300"}, timedelta(seconds=300)),
    ],
)
async def test_a_server_that_asks_for_patience_gets_it_within_reason(server, fetch, status, headers, wait):
    error = await failure(fetch, server.on("/", reply(status, b"", headers)))
    assert isinstance(error, RateLimited)
    assert error.until == NOW + wait


# ----------------------------------------------------------------- redirects


async def test_a_redirect_is_followed_and_the_answer_knows_its_address(server, fetch):
    server.on("/new", reply(200, b"ok"))
    answer = await fetch(server.on("/old", reply(301, b"", {"Location": "/new#part"})), now=NOW)
    assert (answer.body, answer.url) == (b"ok", f"{server.url}/new")


async def test_a_body_is_posted_and_its_answer_comes_back(server, fetch):
    url = server.on("/token", reply(200, b"{}"))
    answer = await fetch(url, now=NOW, headers={"Content-Type": "text/plain"}, body="grüße".encode())
    (request,) = server.requests
    assert (answer.status, request.method, request.body) == (200, "POST", "grüße".encode())
    assert request.headers["content-type"] == "text/plain"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_what_is_posted_follows_no_redirect(server, fetch, status):
    url = server.on("/token", reply(status, headers={"Location": server.url + "/elsewhere"}))
    with pytest.raises(Blocked, match="redirects what is sent") as refused:
        await fetch(url, now=NOW, body=b"secret")
    assert refused.value.why == "redirects"
    assert [request.path for request in server.requests] == ["/token"]


async def test_a_status_that_the_source_reads_itself_is_an_answer(server, fetch):
    url = server.on("/graph", reply(400, b'{"error": 190}'))
    answer = await fetch(url, now=NOW, takes=frozenset({400}))
    assert (answer.status, answer.body) == (400, b'{"error": 190}')
    with pytest.raises(ShapeChanged):
        await fetch(url, now=NOW, takes=frozenset({401}))


async def test_a_redirect_loop_ends(server, fetch):
    error = await failure(fetch, server.on("/a", reply(302, b"", {"Location": "/a"})))
    assert isinstance(error, Blocked)
    assert error.why == "redirects"
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "address"),
        ("http://[::ffff:169.254.169.254]/", "address"),
        ("http://[64:ff9b::a9fe:a9fe]/", "address"),
        ("http://metadata.example/", "address"),
        ("http://localhost/", "address"),
        ("http://10.0.0.1/", "address"),
        ("http://[::1]/", "address"),
        ("http://127.0.0.1:22/", "port"),
        ("http://127.0.0.1:6379/", "port"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://127.0.0.1/x", "scheme"),
        ("gopher://127.0.0.1/x", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("http://[::1", "address"),
        ("http://exa mple/", "address"),
    ],
)
async def test_a_redirect_out_of_bounds_is_refused_even_where_private_hosts_are_allowed(server, place, why):
    async def resolve(host, port):
        return {"metadata.example": ["169.254.169.254"], "localhost": ["127.0.0.1"]}.get(host, [host])

    client = HttpClient(limits=SMALL, resolve=resolve)
    fetch = client.bind(source=PRESS, allow_private=True)
    error = await failure(fetch, server.on("/", reply(302, b"", {"Location": place})))
    assert isinstance(error, Blocked)
    assert error.why == why
    assert len(server.requests) == 1


async def test_credentials_do_not_travel_to_another_origin(server, fetch):
    async with HostileServer() as other:

        async def resolve(host, port):
            return ["127.0.0.1"]

        client = HttpClient(limits=SMALL, resolve=resolve)
        fetch = client.bind(source=PRESS, allow_private=True)
        server.on("/same", reply(302, b"", {"Location": "/away"}))
        server.on("/away", reply(302, b"", {"Location": f"http://user:pw@127.0.0.1:{other.port}/x"}))
        headers = {"Authorization": "Basic c2VjcmV0", "X-Api-Key": "k", "Cookie": "c=1", "If-None-Match": '"1"'}
        await failure(fetch, f"{server.url}/same", headers=headers)  # another port: refused, and never asked
        assert other.requests == []
        assert server.requests[1].headers["authorization"] == "Basic c2VjcmV0"


async def test_credentials_are_dropped_when_the_host_changes(server):
    async def resolve(host, port):
        return ["127.0.0.1"]

    client = HttpClient(limits=SMALL, resolve=resolve)
    fetch = client.bind(source=PRESS, allow_private=True)
    server.on("/a", reply(302, b"", {"Location": f"https://127.0.0.1:{server.port}/b"}))
    await failure(fetch, f"http://127.0.0.1:{server.port}/a", headers={"Authorization": "Basic c2VjcmV0"})
    assert all("authorization" in one.headers for one in server.requests[:1])
    assert len(server.requests) == 1, "the second hop was TLS to a server that speaks none"


# ------------------------------------------------------------ slow and large


async def test_dripped_headers_meet_the_total_deadline(server, hasty):
    async def script(wire, request):
        await wire.drip(reply(200, b"late"), 0.05)

    error = await failure(hasty, server.on("/", script))
    assert isinstance(error, Blocked)
    assert error.why == "deadline"


async def test_a_dripped_body_meets_the_total_deadline(server, hasty):
    async def script(wire, request):
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        await wire.drip(b"x" * 1000, 0.05)

    error = await failure(hasty, server.on("/", script))
    assert isinstance(error, Blocked)
    assert error.why == "deadline"


async def test_a_redirect_does_not_renew_the_deadline(server, hasty):
    async def script(wire, request):
        await asyncio.sleep(0.15)
        await wire.send(reply(302, b"", {"Location": "/"}))

    error = await failure(hasty, server.on("/", script))
    assert isinstance(error, Blocked)
    assert error.why == "deadline"


async def test_silence_is_a_passing_fault(server, curt):
    async def script(wire, request):
        await wire.hang()

    error = await failure(curt, server.on("/", script))
    assert isinstance(error, Transient)
    assert "silent" in str(error)


async def test_huge_headers_are_refused(server, fetch):
    error = await failure(fetch, server.on("/", reply(200, b"", {"X-Huge": "x" * 300_000})))
    assert isinstance(error, Transient)


@pytest.mark.parametrize("size", [2 << 20, 100 << 20])
async def test_a_body_that_says_it_is_too_large_is_refused(server, fetch, size):
    async def script(wire, request):
        await wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size >> 16):
            await wire.send(b"x" * (1 << 16))

    error = await failure(fetch, server.on("/", script))
    assert isinstance(error, Blocked)
    assert error.why == "size"


async def test_a_gzip_bomb_is_refused_long_before_it_goes_off(server):
    fetch = HttpClient().bind(source=PRESS, allow_private=True)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(200)) + squeeze.flush()
    error = await failure(fetch, server.on("/", reply(200, bomb, {"Content-Encoding": "gzip"})))
    assert isinstance(error, Blocked)
    assert error.why == "ratio"


async def test_inflating_beyond_the_cap_is_refused_whatever_the_ratio(server, fetch):
    import random

    body = gzip.compress(bytes(random.Random(1).choices(b"abcdefgh", k=2_200_000)), 9)
    error = await failure(fetch, server.on("/", reply(200, body, {"Content-Encoding": "gzip"})))
    assert isinstance(error, Blocked)
    assert error.why == "size"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "deflate", "gzip,identity,gzip", "zstd"])
async def test_encodings_that_were_not_asked_for_are_refused(server, fetch, encoding):
    body = gzip.compress(gzip.compress(b"x"))
    error = await failure(fetch, server.on("/", reply(200, body, {"Content-Encoding": encoding})))
    assert isinstance(error, Blocked)
    assert error.why == "encoding"


@pytest.mark.parametrize("cut", [1, 9, 12, 20, -9, -8, -4, -1])
async def test_a_cut_gzip_body_is_never_taken_for_whole(server, fetch, cut):
    body = gzip.compress(b"".join(b"%d " % i for i in range(3000)))
    answer = reply(200, body[:cut], {"Content-Encoding": "gzip"}, length=False)
    assert isinstance(await failure(fetch, server.on("/", answer)), Transient)


async def test_broken_gzip_is_a_passing_fault(server, fetch):
    body = bytearray(gzip.compress(b"Nordfunk" * 300))
    body[15] ^= 0xFF
    error = await failure(fetch, server.on("/", reply(200, bytes(body), {"Content-Encoding": "gzip"})))
    assert isinstance(error, Transient)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"short", {"Content-Length": "500"}),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\nabc",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"HTTP/1.1 2",
    ],
)
async def test_cut_and_broken_http_is_a_passing_fault(server, fetch, answer):
    error = await failure(fetch, server.on("/", answer))
    assert isinstance(error, Transient)


# ---------------------------------------------------------------- connecting


async def test_a_refused_connection_says_so(fetch):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        error = await failure(fetch, f"http://127.0.0.1:{holder.getsockname()[1]}/")
    assert isinstance(error, Transient)
    assert "127.0.0.1 cannot be reached (Connection refused); is it up, and is its url right?" in str(error)


async def test_a_name_without_address_says_so():
    async def resolve(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = await failure(
        HttpClient(resolve=resolve).bind(source=PRESS, allow_private=False), "https://nowhere.example/"
    )
    assert isinstance(error, Transient)
    assert "nowhere.example has no address (Name or service not known)" in str(error)


async def test_a_dead_name_server_meets_the_connect_deadline():
    async def resolve(host, port):
        await asyncio.Event().wait()

    error = await failure(
        HttpClient(limits=CURT, resolve=resolve).bind(source=PRESS, allow_private=False), "https://slow.example/"
    )
    assert isinstance(error, Transient)


async def test_the_next_address_is_tried_when_the_first_does_not_answer(server):
    async def resolve(host, port):
        return ["127.0.0.2", "127.0.0.1"]

    client = HttpClient(limits=Limits(), resolve=resolve)
    server.on("/", reply(200, b"here"))
    fetch = client.bind(source=PRESS, allow_private=True)
    assert (await fetch(f"http://two.example:{server.port}/", now=NOW)).body == b"here"
    assert server.requests[0].headers["host"] == f"two.example:{server.port}"


async def test_one_private_address_among_public_ones_is_enough_to_refuse(server):
    async def resolve(host, port):
        return ["93.184.215.14", "127.0.0.1"]

    client = HttpClient(limits=SMALL, resolve=resolve)
    error = await failure(client.bind(source=PRESS, allow_private=False), f"http://two.example:{server.port}/")
    assert isinstance(error, Blocked)
    assert "allow_private: true" in str(error)


async def test_a_name_is_resolved_once_so_that_rebinding_finds_no_second_chance(server):
    answers = [["93.184.215.14"], ["127.0.0.1"]]

    async def resolve(host, port):
        return answers.pop(0)

    client = HttpClient(limits=SMALL, resolve=resolve)
    await failure(client.bind(source=PRESS, allow_private=False), f"http://rebind.example:{server.port}/")
    assert len(answers) == 1
    assert server.requests == []


async def test_hosts_are_asked_one_request_at_a_time(server, client):
    async def script(wire, request):
        await asyncio.sleep(0.02)
        await wire.send(reply(200, b"ok"))

    url = server.on("/", script)
    fetches = [client.bind(source=SourceId(f"s{n}"), allow_private=True) for n in range(5)]
    await asyncio.gather(*(fetch(url, now=NOW) for fetch in fetches))
    assert server.most_at_once == 1


async def test_the_environment_s_proxies_are_not_trusted(server, fetch, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert (await fetch(server.on("/", reply(200, b"direct")), now=NOW)).body == b"direct"


@pytest.mark.parametrize("secret", ["abc…def", "Schlüssel", "abc\u200b", "abc\r\nx-evil: 1", "abc\n", "abc\x00"])
async def test_a_token_that_no_header_takes_says_so_without_showing_it(server, fetch, secret):
    url = server.on("/", reply(200, b"ok"))
    error = await failure(fetch, url, headers={"authorization": f"Bearer {secret}"})
    assert isinstance(error, AuthRefused)
    assert "authorization" in str(error)
    assert secret not in str(error)
    assert not server.requests


async def test_no_error_shows_a_secret(server, fetch):
    urls = [
        server.on("/x", reply(410)),
        "http://127.0.0.1:1/x",
        "http://user:hunter2@nowhere.invalid/x",
        "ftp://user:hunter2@nowhere.example/x",
        server.on("/y", reply(302, b"", {"Location": "http://10.0.0.1/?token=hunter2"})),
    ]
    for url in urls:
        error = await failure(fetch, url + "?access_token=hunter2&key=hunter2")
        assert "hunter2" not in str(error) + repr(error)


# ----------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    home = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=blog.example"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:blog.example", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=home, check=True, capture_output=True,
    )  # fmt: skip
    return home / "cert.pem", home / "key.pem"


async def over_tls(certificate, host, trust):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    named = []
    context.sni_callback = lambda _socket, name, _context: named.append(name)

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(200, b"safe"))
        writer.close()

    async def resolve(host, port):
        return ["127.0.0.1"]

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as listener:
        port = listener.sockets[0].getsockname()[1]
        client = HttpClient(limits=Limits(deadline=timedelta(seconds=5)), resolve=resolve, trust=trust)
        fetch = client.bind(source=PRESS, allow_private=True)
        return await fetch(f"https://{host}:{port}/", now=NOW), named


async def test_the_checked_address_is_asked_under_the_host_s_own_name(certificate):
    answer, named = await over_tls(certificate, "blog.example", ssl.create_default_context(cafile=certificate[0]))
    assert answer.body == b"safe"
    assert named == ["blog.example"]


async def test_a_self_signed_certificate_is_refused_with_its_reason(certificate):
    with pytest.raises(Blocked, match=r"certificate of blog\.example is refused") as caught:
        await over_tls(certificate, "blog.example", None)
    assert caught.value.why == "tls"


async def test_a_certificate_for_another_host_is_refused(certificate):
    with pytest.raises(Blocked, match=r"certificate of shop\.example is refused"):
        await over_tls(certificate, "shop.example", ssl.create_default_context(cafile=certificate[0]))


async def test_a_server_that_speaks_no_tls_is_named():
    async def resolve(host, port):
        return ["127.0.0.1"]

    async def greet(reader, writer):
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    client = HttpClient(limits=Limits(deadline=timedelta(seconds=5)), resolve=resolve)
    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        error = await failure(client.bind(source=PRESS, allow_private=True), f"https://blog.example:{port}/")
    assert isinstance(error, Blocked)
    assert "does not speak TLS as it should (WRONG_VERSION_NUMBER)" in str(error)
