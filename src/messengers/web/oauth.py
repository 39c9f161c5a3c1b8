"""OAuth 2.1, as a resource server: tokens of an issuer that the owner named open `/mcp` and `/sse`.

A token is a JWT that the issuer signed with a key of its published set (RFC 9068), for our address
and for somebody the owner named. The set comes through the guarded client, is kept for an hour, and
is asked for again when a token names a key that it lacks, at most every ten seconds. Where a client
learns the issuer is told by RFC 9728.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast, get_args

import anyio
import jwt
import orjson
from jwt import PyJWK
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.routes import build_resource_metadata_url
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messengers.clock import Clock
from messengers.core.callers import Caller
from messengers.core.scopes import PRESET_SCOPES, Scope, covers, known_scopes
from messengers.errors import InvalidInput, MessengersError, Unreachable
from messengers.guarded import AllowedHosts, Guard
from messengers.settings import Settings
from messengers.urls import SafeUrl

__all__ = ["Issuer"]

log = logging.getLogger(__name__)
_SCOPES: tuple[Scope, ...] = get_args(Scope)
_ALGORITHMS = frozenset(
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in ("256", "384", "512")
) | {"EdDSA"}
"""Signatures with two keys only: whoever knows a published one signs nothing with it."""
_CLAIMS = ("iss", "aud", "exp", "sub")
_TOKEN_MAX_CHARS = 8_192
_BYTES_MAX = 65_536
_KEYS_MAX = 50
_DEADLINE_S = 10.0
_KEPT_S = 3_600.0
_REST_S = 10.0
_SKEW_S = 30.0
_LATEST_S = 253_402_300_799.0
"""The end of the year 9999: no later time can be told."""


@dataclass(frozen=True, slots=True)
class _Published:
    """What the issuer says of itself."""

    name: str
    """As it stands in its tokens."""
    keys: Sequence[PyJWK]
    at_s: float
    """When it was asked; monotonic."""


class Issuer(TokenVerifier):
    """The owner's issuer, and who comes in with its tokens."""

    def __init__(
        self, settings: Settings, issuer: SafeUrl, resource: SafeUrl, clock: Clock
    ) -> None:
        host = f"[{issuer.host}]" if ":" in issuer.host else issuer.host
        allowed = AllowedHosts((*settings.private_hosts, f"{host}:{issuer.port}"))
        self._guard = Guard(allowed, proxy=settings.egress_proxy)
        self._settings = settings
        self._address = issuer
        self._resource = str(resource)
        self._names = settings.oauth_scope_names or {each: (each,) for each in _SCOPES}
        known_scopes(word for words in self._names.values() for word in words)
        self._clock = clock
        self._asking = anyio.Lock()
        self._asked_s = float("-inf")
        self._published: _Published | None = None

    async def caller(self, token: str) -> Caller | None:
        """Who shows this token; None where it opens nothing, whatever the reason."""
        found = await self.verify_token(token)
        if found is None or found.subject is None or found.expires_at is None:
            return None
        return Caller(
            f"oauth:{found.subject}",
            preset=self._settings.oauth_preset,
            scopes=frozenset(found.scopes),
            expires_at=datetime.fromtimestamp(found.expires_at, UTC),
        )

    async def verify_token(self, token: str) -> AccessToken | None:
        """The token as the SDK knows one, with our scopes; None where it is not valid here."""
        if len(token) > _TOKEN_MAX_CHARS:
            return None
        try:
            claims = await self._claims(token)
        except (jwt.PyJWTError, MessengersError, ValueError, TypeError) as exc:
            log.info("a token was refused: %s", type(exc).__name__)
            return None
        subject = str(claims["sub"])
        if subject not in self._settings.oauth_subjects:
            log.warning("a valid token was refused: %r is not in oauth_subjects", subject)
            return None
        return AccessToken(
            token="",
            client_id=str(claims.get("client_id", claims.get("azp", ""))),
            scopes=self._granted(claims),
            expires_at=int(claims["exp"]),
            resource=self._resource,
            subject=subject,
            claims={"iss": claims["iss"]},
        )

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """What a token says, once its signature and its bounds hold.

        Raises:
            PyJWTError: they do not.
            MessengersError: the issuer's keys cannot be had.
        """
        head = jwt.get_unverified_header(token)
        # As a list: a header may hold anything, and not all of that can be looked for in a set.
        if head.get("alg") not in [*_ALGORITHMS] or "crit" in head:
            raise jwt.InvalidAlgorithmError
        published, key = await self._key(head)
        claims = jwt.decode(
            token,
            key,
            algorithms=[head["alg"]],
            audience=self._resource,
            issuer=published.name,
            # Times are judged by our own clock below.
            options={
                "require": list(_CLAIMS),
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        now = self._clock.now().timestamp()
        is_held = now < float(claims["exp"]) <= _LATEST_S
        if not is_held or float(claims.get("nbf", 0)) > now + _SKEW_S:
            raise jwt.ExpiredSignatureError
        return claims

    async def _key(self, head: Mapping[str, Any]) -> tuple[_Published, PyJWK]:
        """The one published key that a token names. Raises InvalidKeyError: there is none."""
        for again in (False, True):
            published = await self._known(again=again)
            fitting = [
                key
                for key in published.keys
                if key.algorithm_name == head["alg"] and head.get("kid") in (None, key.key_id)
            ]
            if len(fitting) == 1:
                return published, fitting[0]
        raise jwt.InvalidKeyError

    async def _known(self, *, again: bool) -> _Published:
        """What the issuer publishes, asked for when it is old or, `again`, lacks a key."""
        async with self._asking:
            now, known = self._clock.monotonic_s(), self._published
            if known is not None and not again and now - known.at_s < _KEPT_S:
                return known
            if now - self._asked_s >= _REST_S:
                self._asked_s = now
                try:
                    self._published = known = await self._ask(now)
                except MessengersError as exc:
                    log.warning("the OAuth issuer was not understood: %s", exc.cause)
            if known is None:
                raise Unreachable("The issuer's keys are not known.")
            return known

    async def _ask(self, now: float) -> _Published:
        """Raises a MessengersError: it does not answer, or not as RFC 8414 and 7517 have it."""
        told = await self._metadata()
        name, where = told.get("issuer"), told.get("jwks_uri")
        if not isinstance(name, str) or name.rstrip("/") != str(self._address).rstrip("/"):
            raise InvalidInput("The issuer calls itself something else than oauth_issuer.")
        if not isinstance(where, str):
            raise InvalidInput("The issuer publishes no keys.")
        place = SafeUrl.parse(where)
        if place.scheme != self._address.scheme:
            raise InvalidInput("The issuer publishes its keys without TLS.")
        found = (await self._read(place)).get("keys")
        keys = cast("list[object]", found)[:_KEYS_MAX] if isinstance(found, list) else []
        return _Published(name, [key for each in keys for key in _usable(each)], now)

    async def _metadata(self) -> Mapping[str, object]:
        """By the rule of OAuth, else of OpenID Connect."""
        path = self._address.target.rstrip("/")
        origin = self._address.origin
        try:
            place = f"{origin}/.well-known/oauth-authorization-server{path}"
            return await self._read(SafeUrl.parse(place))
        except MessengersError:
            place = f"{origin}{path}/.well-known/openid-configuration"
            return await self._read(SafeUrl.parse(place))

    async def _read(self, url: SafeUrl) -> Mapping[str, object]:
        reply = await self._guard.fetch(url, max_bytes=_BYTES_MAX, deadline_s=_DEADLINE_S)
        try:
            told: object = orjson.loads(reply.body)
        except orjson.JSONDecodeError as exc:
            raise InvalidInput("The issuer answered with something else than JSON.") from exc
        return cast("Mapping[str, object]", told) if isinstance(told, dict) else {}

    def _granted(self, claims: Mapping[str, Any]) -> list[str]:
        """Our scopes for the token's, never more than those of the preset."""
        said: object = claims.get("scope", claims.get("scp", ""))
        theirs = said.split() if isinstance(said, str) else cast("list[object]", said or [])
        words = {word for each in theirs for word in self._names.get(str(each), ())}
        most = PRESET_SCOPES[self._settings.oauth_preset]
        return [each for each in _SCOPES if covers(words, each) and covers(most, each)]

    def challenge(self, scope: Scope) -> str:
        """What `WWW-Authenticate` adds for who needs a scope: its name there, and where to ask."""
        names = [name for name, words in self._names.items() if covers(words, scope)]
        best = min(names, key=lambda name: len(self._names[name]), default=scope)
        return f'scope="{best}", resource_metadata="{self._metadata_url}"'

    @property
    def _metadata_url(self) -> AnyHttpUrl:
        return build_resource_metadata_url(AnyHttpUrl(self._resource))

    @property
    def routes(self) -> list[Route]:
        """Where clients learn who issues tokens for us."""
        told = ProtectedResourceMetadata(
            resource=AnyHttpUrl(self._resource),
            authorization_servers=[AnyHttpUrl(str(self._address))],
            scopes_supported=sorted(self._names),
            resource_name="Messengers",
        ).model_dump_json(exclude_none=True)

        async def metadata(_: Request) -> Response:
            return Response(told, media_type="application/json")

        return [Route(str(self._metadata_url.path), metadata, methods=["GET"])]

    async def aclose(self) -> None:
        """End what is connected."""
        await self._guard.aclose()


def _usable(given: object) -> Sequence[PyJWK]:
    """A published key that signs; nothing for one that we do not know what to do with."""
    if not isinstance(given, dict):
        return ()
    data = cast("dict[str, Any]", given)
    try:
        key = PyJWK(data)
    except (jwt.PyJWTError, ValueError, TypeError):
        return ()
    signs = data.get("use", "sig") == "sig" and key.algorithm_name in _ALGORITHMS
    return (key,) if signs else ()
