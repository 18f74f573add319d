"""Which identities of a provider hold: every forgery that is known, beside the one that is genuine."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from brandmelder.options import Role, Secret
from brandmelder.settings.web import OidcBlock
from brandmelder.web.oidc import NotLetIn, _checked, _member

NOW = datetime(2026, 12, 15, 20, 41, tzinfo=UTC)
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
FOREIGN = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
KEYS = KeySet([KEY]).as_dict(private=False)
BLOCK = OidcBlock(
    issuer="https://login.example",
    client_id="brandmelder",
    client_secret=Secret("geheim und lang genug fuer HS256 allemal"),
    roles={Role.ADMIN: ("betrieb",), Role.VIEWER: ("alle",)},
)
CLAIMS = {
    "iss": "https://login.example",
    "aud": "brandmelder",
    "sub": "4711",
    "nonce": "n",
    "exp": int((NOW + timedelta(minutes=5)).timestamp()),
    "groups": ["alle"],
}


def made(key=KEY, header=None, **changes):
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": "one"} | (header or {}), claims, key)


def checked(token):
    return _checked(token, KEYS, BLOCK, nonce="n", now=NOW)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def at(**away):
    return int((NOW + timedelta(**away)).timestamp())


def test_the_genuine_one_holds():
    assert checked(made())["sub"] == "4711"
    assert checked(made(aud=["brandmelder"]))["sub"] == "4711"
    assert checked(made(aud=["brandmelder", "other"], azp="brandmelder"))["sub"] == "4711"
    assert checked(made(exp=at(seconds=-30)))["sub"] == "4711"  # its clock may be a minute off


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": "https://login.example.evil.example"},
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"aud": ["brandmelder", "other"]},
        {"aud": ["brandmelder", "other"], "azp": "other"},
        {"nonce": "m"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"exp": None},
        {"exp": at(seconds=-90)},
        {"exp": "morgen"},
        {"nbf": at(minutes=5)},
        {"iat": at(minutes=5)},
    ],
    ids=str,
)
def test_one_that_is_of_another_issuer_for_others_or_of_another_time_does_not(changes):
    with pytest.raises(NotLetIn):
        checked(made(**changes))


def unsigned():
    return f"{part({'alg': 'none'})}.{part(CLAIMS)}."


def by_the_secret():
    return made(OctKey.import_key(BLOCK.client_secret.reveal()), {"alg": "HS256"})


def by_the_public_key_as_a_secret():
    signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(CLAIMS)}"
    sign = hmac.new(KEY.as_pem(private=False), signed.encode(), "sha256").digest()
    return f"{signed}.{base64.urlsafe_b64encode(sign).decode().rstrip('=')}"


def by_a_foreign_key():
    return made(FOREIGN)


def by_a_key_it_brings_itself():
    return made(FOREIGN, {"jwk": FOREIGN.as_dict(private=False)})


def by_a_key_it_points_to():
    return made(FOREIGN, {"jku": "https://evil.example/keys", "x5u": "https://evil.example/cert"})


def with_an_unknown_key():
    return made(KEY, {"kid": "two"})


def with_other_claims():
    head, _, sign = made().split(".")
    return f"{head}.{part(CLAIMS | {'groups': ['betrieb']})}.{sign}"


def with_a_header_that_must_be_understood():
    return made(KEY, {"crit": ["b64"], "b64": False})


@pytest.mark.parametrize(
    "forge",
    [
        unsigned, by_the_secret, by_the_public_key_as_a_secret, by_a_foreign_key, by_a_key_it_brings_itself,
        by_a_key_it_points_to, with_an_unknown_key, with_other_claims, with_a_header_that_must_be_understood,
    ],
    ids=lambda forge: forge.__name__,
)  # fmt: skip
def test_one_that_the_providers_key_did_not_sign_does_not(forge):
    with pytest.raises(NotLetIn):
        checked(forge())


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "é.é.é", "a" * 10_000, made()[:-2]])
def test_what_is_no_identity_at_all_does_not(token):
    with pytest.raises(NotLetIn):
        checked(token)


@pytest.mark.parametrize(
    "keys", [{}, {"keys": []}, {"keys": "x"}, {"keys": [{}]}, {"keys": [{"kty": "oct", "k": "eA" * 40}]}]
)
def test_keys_that_are_none_let_nobody_in(keys):
    with pytest.raises(NotLetIn):
        _checked(made(), keys, BLOCK, nonce="n", now=NOW)


def test_two_people_are_never_known_by_one_name():
    names = {_member(BLOCK, CLAIMS | {"sub": "u" * 250 + end}, NOW).name for end in "ab"}
    assert len(names) == 2
    assert max(map(len, names)) <= 200


@pytest.mark.parametrize(
    ("groups", "role"),
    [(["alle"], Role.VIEWER), (["alle", "betrieb"], Role.ADMIN), ("betrieb", Role.ADMIN), ([], None), (None, None),
     ("betrieb,alle", None), ([["betrieb"]], None), ({"betrieb": True}, None)],
)  # fmt: skip
def test_the_highest_role_that_a_group_gives_is_given(groups, role):
    found = _member(BLOCK, CLAIMS | {"groups": groups}, NOW)
    assert (found.role if found else None) is role
