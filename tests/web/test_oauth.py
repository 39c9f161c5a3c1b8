"""OAuth: whose tokens open MCP, which do not, and what a client is told to ask for."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import httpx2
import jwt
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from messengers.app import App, open_app
from messengers.core.callers import OWNER
from messengers.core.scopes import Scope
from messengers.errors import InvalidInput
from messengers.settings import Settings
from tests.fakes.issuer import LoopbackIssuer, opened

BASE = "http://127.0.0.1:3000"
RESOURCE = f"{BASE}/mcp"
METADATA = f"{BASE}/.well-known/oauth-protected-resource/mcp"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@dataclass
class Guarded:
    """An application with an issuer, and whoever comes with a token."""

    app: App
    issuer: LoopbackIssuer
    client: httpx2.AsyncClient

    async def show(self, token: str, path: str = "/mcp") -> httpx2.Response:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
        }
        return await self.client.post(path, json=PING, headers=headers)

    def token(self, **claims: object) -> str:
        asked = {"aud": RESOURCE, "scope": "messages:read instances:read", **claims}
        return self.issuer.token(**asked)


@pytest.fixture
async def guarded(home: Path, request: pytest.FixtureRequest) -> AsyncIterator[Guarded]:
    chosen: dict[str, object] = getattr(request, "param", {})
    async with opened() as issuer:
        settings = Settings.load(
            home=home,
            port=3000,
            oauth_issuer=issuer.url,
            oauth_resource=RESOURCE,
            oauth_subjects=["anna"],
            **chosen,
        )
        async with open_app(settings) as app:
            transport = httpx2.ASGITransport(app=app.web, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
                yield Guarded(app, issuer, client)


async def tools(guarded: Guarded, token: str) -> set[str]:
    """What the SDK's client sees with a token."""
    transport = httpx2.ASGITransport(app=guarded.app.web)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers) as http,
        Client(streamable_http_client(RESOURCE, http_client=http)) as client,
    ):
        return {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.case("S15")
async def test_a_token_opens_the_tools_of_its_scopes(guarded: Guarded) -> None:
    reading = await tools(guarded, guarded.token())
    writing = await tools(
        guarded, guarded.token(scope="messages:read messages:send", aud=["else", RESOURCE])
    )
    most = await tools(guarded, guarded.token(scope=" ".join(get_args(Scope))))

    assert {"list_instances", "read_messages"} <= reading
    assert "send_message" not in reading
    assert "find_contacts" not in reading
    assert {"send_message", "read_messages"} <= writing
    assert "list_instances" not in writing
    assert {"send_message", "find_contacts"} <= most
    assert most.isdisjoint({"create_instance", "list_dead_letters"})  # beyond oauth_preset


@pytest.mark.case("S15")
@pytest.mark.parametrize(
    "guarded",
    [{"oauth_scopes": ["chat=messages:read", "chat=messages:send", "look=messages:read"]}],
    indirect=True,
)
async def test_the_issuers_scopes_mean_what_the_owner_says(guarded: Guarded) -> None:
    refused = await guarded.client.post("/mcp", json=PING)

    assert "send_message" in await tools(guarded, guarded.token(scope="chat"))
    assert "send_message" not in await tools(guarded, guarded.token(scope="look"))
    assert (await guarded.show(guarded.token(scope="messages:read"))).status_code == 403
    assert 'scope="look",' in refused.headers["www-authenticate"]


def unsigned(claims: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{head}.{claims}."


def headed(head: str) -> str:
    """Anybody can say anything in the header of a token."""
    said = base64.urlsafe_b64encode(head.encode()).rstrip(b"=").decode()
    return f"{said}.e30.AAAA"


def signed_with_the_public_key(issuer: LoopbackIssuer, claims: str) -> str:
    """The confusion of algorithms: the published key taken for a shared secret."""
    told = json.dumps({"alg": "HS256", "kid": issuer.kid}).encode()
    head = base64.urlsafe_b64encode(told).rstrip(b"=").decode()
    mac = hmac.digest(issuer.public_pem, f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.case("S15")
async def test_what_is_no_token_for_us_is_refused_with_what_to_ask_for(guarded: Guarded) -> None:
    good = guarded.token()
    claims = good.split(".")[1]
    now = int(time.time())
    async with opened() as stranger:
        stranger.url, stranger.kid = guarded.issuer.url, guarded.issuer.kid
        forged = stranger.token(aud=RESOURCE, scope="messages:read")
    shared = "secret" * 6
    tried = {
        "aud": guarded.token(aud="https://other.example/mcp"),
        "no aud": guarded.token(aud=None),
        "expired": guarded.token(exp=now - 1),
        "no end": guarded.token(exp=None),
        "not yet": guarded.token(nbf=now + 600),
        "issuer": guarded.token(iss="https://evil.example"),
        "subject": guarded.token(sub="mallory"),
        "no subject": guarded.token(sub=None),
        "none": unsigned(claims),
        "HS256": signed_with_the_public_key(guarded.issuer, claims),
        "shared": jwt.encode({"sub": "anna"}, shared, "HS256", {"kid": "shared"}),
        "forged": forged,
        "changed": good[:-6] + "AAAAAA",
        "words": "a.b.c",
        "a list for its algorithm": headed('{"alg":[]}'),
        "an object for its key": headed('{"alg":"RS256","kid":{}}'),
        "deep": headed("[" * 3_000 + "]" * 3_000),
        "an end after all years": guarded.token(exp=now * 1_000),
        "a list for its end": guarded.token(exp=[]),
        "a list for its start": guarded.token(nbf=[]),
        "long": f"{good}{'x' * 9_000}",
        "our key": "msk_" + "x" * 43,
    }
    answers = {name: await guarded.show(token) for name, token in tried.items()}
    bare = await guarded.client.post("/mcp", json=PING)

    assert (await guarded.show(good)).status_code != 401
    for name, answer in answers.items():
        assert (answer.status_code, answer.content) == (401, bare.content), name
        assert answer.headers["www-authenticate"] == (
            f'Bearer realm="messengers", scope="messages:read", resource_metadata="{METADATA}"'
        ), name


@pytest.mark.case("S15")
async def test_a_token_without_a_scope_of_ours_is_told_which_it_needs(guarded: Guarded) -> None:
    for scope in ("", "*", "openid profile", "admin:write"):
        answer = await guarded.show(guarded.token(scope=scope))

        assert answer.status_code == 403
        assert (
            'error="insufficient_scope", scope="messages:read"'
            in (answer.headers["www-authenticate"])
        )


@pytest.mark.case("S15", "S05")
async def test_a_token_opens_nothing_but_mcp(guarded: Guarded) -> None:
    headers = {"Authorization": f"Bearer {guarded.token(scope='events:read instances:write')}"}
    for path in ("/events", "/instances/x/login", "/tickets", "/nothing"):
        assert (await guarded.client.get(path, headers=headers)).status_code == 401, path


async def test_clients_learn_the_issuer_without_a_key(guarded: Guarded) -> None:
    told = (await guarded.client.get(METADATA)).json()

    assert told["resource"] == RESOURCE
    assert [each.rstrip("/") for each in told["authorization_servers"]] == [guarded.issuer.url]
    assert "messages:read" in told["scopes_supported"]
    assert (await guarded.client.get("/.well-known/else")).status_code == 404


async def test_the_keys_are_asked_for_once_and_again_when_they_changed(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert (await guarded.show(guarded.token())).status_code != 401
    assert guarded.issuer.asked.count("/keys") == 1

    guarded.issuer.rotate("two")
    for _ in range(3):
        assert (await guarded.show(guarded.token())).status_code == 401
    assert guarded.issuer.asked.count("/keys") == 1

    monkeypatch.setattr("messengers.web.oauth._REST_S", 0.0)
    assert (await guarded.show(guarded.token())).status_code != 401
    assert guarded.issuer.asked.count("/keys") == 2


async def test_an_issuer_that_is_down_or_another_lets_nobody_in(guarded: Guarded) -> None:
    token = guarded.token()
    guarded.issuer.down = True
    assert (await guarded.show(token)).status_code == 401
    guarded.issuer.down, guarded.issuer.name = False, "https://evil.example"
    assert (await guarded.show(token)).status_code == 401
    _, secret = await guarded.app.core.keys.create(OWNER, "ours")

    assert (await guarded.show(secret)).status_code != 401


@pytest.mark.parametrize(
    "chosen",
    [
        {"oauth_issuer": "https://login.example"},
        {"oauth_issuer": "https://login.example", "oauth_resource": RESOURCE},
        {
            "oauth_issuer": "http://login.example",
            "oauth_resource": RESOURCE,
            "oauth_subjects": ["anna"],
        },
        {"oauth_scopes": ["messages:read"]},
    ],
    ids=str,
)
def test_half_an_issuer_is_refused_at_the_start(home: Path, chosen: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="oauth"):
        Settings.load(home=home, **chosen)
