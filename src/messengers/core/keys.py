"""Keys: how a caller beyond the terminal proves who he is.

An API key is `msk_` and 32 random bytes, shown once; the store holds its first characters and an
HMAC under the pepper, so that neither the database nor a backup holds a key. A slow hash would
protect guessable secrets only, and cost 24 ms for every request. The local key is a file that this
machine's user alone can read; it opens what stdio opens, from this machine.
"""

import hmac
import os
import secrets
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.callers import ApiKey, Caller
from messengers.errors import Conflict, InvalidInput, NotFound, StorageUnavailable
from messengers.home import LOCAL_KEY_FILE
from messengers.models import IdKind, Preset, Toolset, decode_id, encode_id
from messengers.redaction import register_secret
from messengers.settings import known_toolsets
from messengers.store import Store, api_keys, audit

__all__ = ["Keys", "read_local_key"]

_PREFIX = "msk_"
_SHOWN = 10
"""Characters of a key that stay visible, to tell keys apart."""
_NAME_MAX = 64


@dataclass(slots=True)
class _Known:
    """A key in memory, with the uses that are not written yet."""

    key: ApiKey
    digest: str
    uses: int = 0
    held: set[anyio.CancelScope] = field(default_factory=set[anyio.CancelScope])
    """What goes on under it: ended with it."""


class Keys:
    """The keys of this home. All are in memory: every change passes through this one process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        local_preset: Preset = "setup",
        local_toolsets: Iterable[Toolset] = (),
    ) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._local_caller = Caller(
            "local", preset=local_preset, toolsets=frozenset(local_toolsets), local=True
        )
        self._local_digest = ""

    async def load(self) -> None:
        """Read the keys and the local key, which is made if it is not there.

        Raises:
            StorageUnavailable: the local key's file cannot be read or made.
        """
        local = read_local_key(self._store.home)
        register_secret(local)
        self._local_digest = self._digest(local)
        for row in await self._store.rows(api_keys.all_keys):
            key = ApiKey.model_validate(api_keys.fields(row))
            self._known[row["digest"]] = _Known(key, row["digest"])

    async def create(
        self,
        name: str,
        preset: Preset = "messenger",
        expires_at: datetime | None = None,
        instances: Sequence[str] = (),
        toolsets: Sequence[str] = (),
    ) -> tuple[ApiKey, str]:
        """Make a key. The second part of the answer is the key itself, told this once.

        Raises:
            InvalidInput: no fitting name, no such tool set, or an end that is past.
            Conflict: a key of this name holds.
        """
        if not name.strip() or len(name) > _NAME_MAX or not name.isprintable():
            raise InvalidInput(
                "The name does not fit.", f"Give one of 1 to {_NAME_MAX} characters."
            )
        given = known_toolsets(toolsets)
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidInput("The end of the key is past.", "Give a time to come.")
        if any(one.key.name == name and self._holds(one.key) for one in self._known.values()):
            raise Conflict("A key of this name holds already.", "Revoke it or take another name.")
        secret = _PREFIX + secrets.token_urlsafe(32)
        register_secret(secret)
        digest = self._digest(secret)
        values = {
            "name": name,
            "prefix": secret[:_SHOWN],
            "digest": digest,
            "preset": preset,
            "toolsets": " ".join(given),
            "instances": " ".join(instances),
            "created_at": to_ms(now),
            "expires_at": None if expires_at is None else to_ms(expires_at),
        }

        def unit(conn: Connection) -> int:
            row = api_keys.add(conn, **values)
            self._audit(conn, "create_key", row)
            return row

        row = await self._store.write(unit)
        key = ApiKey(
            id=encode_id(IdKind.KEY, row),
            name=name,
            prefix=secret[:_SHOWN],
            preset=preset,
            toolsets=given,
            instances=tuple(instances),
            created_at=now,
            expires_at=expires_at,
        )
        self._known[digest] = _Known(key, digest)
        return key, secret

    def list(self) -> list[ApiKey]:
        """All keys ever made, oldest first."""
        return [one.key for one in self._known.values()]

    def any_hold(self) -> bool:
        """Whether some key opens the door: what a bind beyond this machine needs."""
        return any(self._holds(one.key) for one in self._known.values())

    async def revoke(self, ref: str) -> ApiKey:
        """End a key, named by its id or its name, at once and for good.

        Raises:
            NotFound: no such key.
            Conflict: it had ended before.
        """
        known = self._find(ref)
        now = self._clock.now()
        row = decode_id(IdKind.KEY, known.key.id) or 0

        def unit(conn: Connection) -> bool:
            revoked = api_keys.revoke(conn, row, to_ms(now))
            if revoked:
                self._audit(conn, "revoke_key", row)
            return revoked

        if not await self._store.write(unit):
            raise Conflict("This key was revoked before.")
        known.key = known.key.model_copy(update={"revoked_at": now})
        for scope in tuple(known.held):
            scope.cancel()
        return known.key

    def verify(self, secret: str, *, from_loopback: bool = False) -> Caller | None:
        """Who presents this key, or None: for unknown, wrong, expired and revoked ones alike.

        The local key counts only from this machine.
        """
        digest = self._digest(secret)
        is_local = hmac.compare_digest(digest, self._local_digest)
        if is_local:
            return self._local_caller if from_loopback else None
        known = self._known.get(digest)
        if known is None or not hmac.compare_digest(digest, known.digest):
            return None
        if not self._holds(known.key):
            return None
        known.uses += 1
        known.key = known.key.model_copy(
            update={"last_used_at": self._clock.now(), "use_count": known.key.use_count + 1}
        )
        return Caller(
            known.key.id,
            preset=known.key.preset,
            toolsets=frozenset(known.key.toolsets),
            instances=frozenset(known.key.instances) if known.key.instances else None,
        )

    @contextmanager
    def held(self, caller: Caller) -> Generator[None]:
        """What is awaited here is cancelled once the caller's key is revoked or expires."""
        known = next((one for one in self._known.values() if one.key.id == caller.actor), None)
        with anyio.CancelScope() as scope:
            if known is None:
                yield
                return
            if known.key.expires_at is not None:
                left = known.key.expires_at - self._clock.now()
                scope.deadline = anyio.current_time() + left.total_seconds()
            if known.key.revoked_at is not None:
                scope.cancel()
            known.held.add(scope)
            try:
                yield
            finally:
                known.held.discard(scope)

    async def flush(self) -> None:
        """Write the uses since the last time, in one transaction; called now and then."""
        used = [
            (decode_id(IdKind.KEY, one.key.id) or 0, to_ms(one.key.last_used_at), one.uses)
            for one in self._known.values()
            if one.uses and one.key.last_used_at is not None
        ]
        if not used:
            return
        for one in self._known.values():
            one.uses = 0

        def unit(conn: Connection) -> None:
            for row, at_ms, times in used:
                api_keys.note_use(conn, row, at_ms, times)

        await self._store.write(unit)

    def _find(self, ref: str) -> _Known:
        named = [one for one in self._known.values() if ref in {one.key.id, one.key.name}]
        # A name may be used again after its key was revoked.
        named.sort(key=lambda one: self._holds(one.key))
        if not named:
            raise NotFound("There is no such key.", "`messengers keys list` shows them.")
        return named[-1]

    def _holds(self, key: ApiKey) -> bool:
        ended = key.expires_at is not None and key.expires_at <= self._clock.now()
        return key.revoked_at is None and not ended

    def _digest(self, secret: str) -> str:
        # "surrogatepass": what stands in a header is any bytes, and none of them may raise here.
        return hmac.digest(
            self._store.pepper, secret.encode("utf-8", "surrogatepass"), "sha256"
        ).hex()

    def _audit(self, conn: Connection, action: str, row: int) -> None:
        audit.add(
            conn,
            at=to_ms(self._clock.now()),
            actor="owner",
            action=action,
            detail=encode_id(IdKind.KEY, row),
        )


def read_local_key(home: Path) -> str:
    """The local key of a home, made if it is not there; never open to others.

    Raises:
        StorageUnavailable: it can be neither read nor made.
    """
    file = home / LOCAL_KEY_FILE
    try:
        try:
            key = file.read_text(encoding="ascii").strip()
            file.chmod(0o600)
        except FileNotFoundError:
            key = ""
        if not key:
            key = secrets.token_urlsafe(32)
            file.unlink(missing_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as stream:
                stream.write(key + "\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise StorageUnavailable(
            f"The local key {file} cannot be used.", "Give it to this user, or remove it."
        ) from exc
    return key
