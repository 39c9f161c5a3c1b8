"""An OAuth issuer on loopback: metadata and keys over HTTP, and tokens as it would sign them."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messengers.sockets import bind_tcp

__all__ = ["LoopbackIssuer", "opened"]


@dataclass
class LoopbackIssuer:
    """What it publishes and signs with; a test may change either."""

    url: str
    key: rsa.RSAPrivateKey
    kid: str = "one"
    name: str = ""
    """What it calls itself; its address unless chosen."""
    down: bool = False
    asked: list[str] = field(default_factory=list[str])

    @property
    def public_pem(self) -> bytes:
        public = self.key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def rotate(self, kid: str) -> None:
        """Another key in place of the one of before."""
        self.key, self.kid = rsa.generate_private_key(65537, 2048), kid

    def token(self, **claims: object) -> str:
        """For `sub` anna, an hour, everything else as asked; None leaves a claim out."""
        now = int(time.time())
        said: dict[str, object] = {
            "iss": self.url,
            "sub": "anna",
            "exp": now + 3_600,
            "iat": now,
            **claims,
        }
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(kept, self.key, algorithm="RS256", headers={"kid": self.kid})

    async def answer(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        if self.down:
            return Response(status_code=503)
        if request.url.path == "/keys":
            shown: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
            shown |= {"kid": self.kid, "use": "sig", "alg": "RS256"}
            secret = {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "shared"}
            return JSONResponse({"keys": [secret, {"kty": "new"}, shown]})
        return JSONResponse({"issuer": self.name or self.url, "jwks_uri": f"{self.url}/keys"})


@asynccontextmanager
async def opened() -> AsyncGenerator[LoopbackIssuer]:
    with bind_tcp("127.0.0.1", 0, must=True) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        issuer = LoopbackIssuer(url, rsa.generate_private_key(65537, 2048))
        places = ("/.well-known/oauth-authorization-server", "/keys")
        app = Starlette(routes=[Route(place, issuer.answer) for place in places])
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [bound])
            yield issuer
            server.should_exit = True
