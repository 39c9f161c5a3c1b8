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
from messengers.core.scopes import PRESET_SCOPES, PRESETS, Scope, covers, known_scopes
from messengers.errors import Conflict, Forbidden, InvalidInput, NotFound, StorageUnavailable
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
_RATE_MAX = 100_000


@dataclass(slots=True)
class _Known:
    """A key in memory, with the uses that are not written yet."""

    key: ApiKey
    digest: str
    generation: int = 0
    """How often it was made anew in this process: who came in before is out."""
    uses: int = 0
    held: set[anyio.CancelScope] = field(default_factory=set[anyio.CancelScope])
    """What goes on under it: ended with it."""

    def end(self) -> None:
        """Cut what goes on under it."""
        for scope in tuple(self.held):
            scope.cancel()


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
        """By id, oldest first."""
        self._by_digest: dict[str, _Known] = {}
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
            self._keep(_Known(key, row["digest"]))

    async def create(
        self,
        caller: Caller,
        name: str,
        preset: Preset = "messenger",
        expires_at: datetime | None = None,
        instances: Sequence[str] = (),
        toolsets: Sequence[str] = (),
        scopes: Sequence[str] = (),
        rate_per_min: int | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key. The second part of the answer is the key itself, told this once.

        Raises:
            Forbidden: the caller may make none, or none that opens this much.
            InvalidInput: no fitting name or rate, no such tool set or scope, an end that is past.
            Conflict: a key of this name holds.
        """
        _require(caller, "admin:write")
        asked = ApiKey(
            id="",
            name=name,
            prefix="",
            preset=preset,
            toolsets=known_toolsets(toolsets),
            scopes=known_scopes(scopes),
            instances=tuple(instances),
            rate_per_min=rate_per_min,
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        self._check(asked)
        if not _is_within(caller, asked):
            raise Forbidden(
                "A key gives no more than it has.",
                "Ask for fewer scopes, instances or tools, an earlier end, or a lower rate.",
            )
        secret, digest = self._new_secret()
        asked = asked.model_copy(update={"prefix": secret[:_SHOWN]})

        def unit(conn: Connection) -> int:
            row = api_keys.add(conn, **api_keys.columns(asked), digest=digest)
            self._audit(conn, caller, "create_key", row)
            return row

        row = await self._store.write(unit)
        key = asked.model_copy(update={"id": encode_id(IdKind.KEY, row)})
        self._keep(_Known(key, digest))
        return key, secret

    async def regenerate(self, caller: Caller, ref: str) -> tuple[ApiKey, str]:
        """Another secret for a key, told this once; the one of before ends with what is open.

        Raises:
            Forbidden: the caller may not.
            NotFound: no such key.
            Conflict: it has ended.
        """
        _require(caller, "admin:write")
        known = self._find(caller, ref)
        if not self._holds(known.key):
            raise Conflict("This key has ended.", "Make another: `messengers keys create`.")
        row = decode_id(IdKind.KEY, known.key.id) or 0
        secret, digest = self._new_secret()

        def unit(conn: Connection) -> bool:
            renewed = api_keys.renew(conn, row, secret[:_SHOWN], digest)
            if renewed:
                self._audit(conn, caller, "regenerate_key", row)
            return renewed

        if not await self._store.write(unit):
            raise Conflict("This key was revoked meanwhile.")
        del self._by_digest[known.digest]
        known.key = known.key.model_copy(update={"prefix": secret[:_SHOWN]})
        known.digest, known.generation = digest, known.generation + 1
        self._keep(known)
        known.end()
        return known.key, secret

    def list(self, caller: Caller) -> list[ApiKey]:
        """All keys ever made that open no more than the caller's own, oldest first."""
        _require(caller, "admin:read")
        return [one.key for one in self._known.values() if _is_within(caller, one.key)]

    def any_hold(self) -> bool:
        """Whether some key opens the door: what a bind beyond this machine needs."""
        return any(self._holds(one.key) for one in self._known.values())

    async def revoke(self, caller: Caller, ref: str) -> ApiKey:
        """End a key, named by its id or its name, at once and for good.

        Raises:
            Forbidden: the caller may not.
            NotFound: no such key.
            Conflict: it had ended before.
        """
        _require(caller, "admin:write")
        known = self._find(caller, ref)
        now = self._clock.now()
        row = decode_id(IdKind.KEY, known.key.id) or 0

        def unit(conn: Connection) -> bool:
            revoked = api_keys.revoke(conn, row, to_ms(now))
            if revoked:
                self._audit(conn, caller, "revoke_key", row)
            return revoked

        if not await self._store.write(unit):
            raise Conflict("This key was revoked before.")
        known.key = known.key.model_copy(update={"revoked_at": now})
        known.end()
        return known.key

    def verify(self, secret: str, *, from_loopback: bool = False) -> Caller | None:
        """Who presents this key, or None: for unknown, wrong, expired and revoked ones alike.

        The local key counts only from this machine.
        """
        digest = self._digest(secret)
        is_local = hmac.compare_digest(digest, self._local_digest)
        if is_local:
            return self._local_caller if from_loopback else None
        known = self._by_digest.get(digest)
        if known is None or not hmac.compare_digest(digest, known.digest):
            return None
        if not self._holds(known.key):
            return None
        known.uses += 1
        known.key = known.key.model_copy(
            update={"last_used_at": self._clock.now(), "use_count": known.key.use_count + 1}
        )
        return _caller_of(known)

    def still_opens(self, caller: Caller) -> bool:
        """Whether what a caller came in with holds yet; it may have ended since."""
        known = self._known.get(caller.actor)
        if caller.expires_at is not None and caller.expires_at <= self._clock.now():
            return False
        is_same = known is None or known.generation == caller.generation
        return is_same and (known is None or known.key.revoked_at is None)

    @contextmanager
    def held(self, caller: Caller) -> Generator[None]:
        """What is awaited here is cancelled once the caller's key ends or is made anew."""
        known = self._known.get(caller.actor)
        held = set[anyio.CancelScope]() if known is None else known.held
        with anyio.CancelScope() as scope:
            if caller.expires_at is not None:
                left = caller.expires_at - self._clock.now()
                scope.deadline = anyio.current_time() + left.total_seconds()
            if not self.still_opens(caller):
                scope.cancel()
            held.add(scope)
            try:
                yield
            finally:
                held.discard(scope)

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

    def _keep(self, known: _Known) -> None:
        self._known[known.key.id] = known
        self._by_digest[known.digest] = known

    def _new_secret(self) -> tuple[str, str]:
        """A key and its keyed hash."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        register_secret(secret)
        return secret, self._digest(secret)

    def _check(self, asked: ApiKey) -> None:
        """Raises InvalidInput or Conflict for a key that cannot be, whoever asks for it."""
        name, ends_at, rate = asked.name, asked.expires_at, asked.rate_per_min
        if not name.strip() or len(name) > _NAME_MAX or not name.isprintable():
            raise InvalidInput(
                "The name does not fit.", f"Give one of 1 to {_NAME_MAX} characters."
            )
        if ends_at is not None and ends_at <= self._clock.now():
            raise InvalidInput("The end of the key is past.", "Give a time to come.")
        if rate is not None and not 1 <= rate <= _RATE_MAX:
            raise InvalidInput("The rate does not fit.", f"Give 1 to {_RATE_MAX} calls a minute.")
        if any(one.key.name == name and self._holds(one.key) for one in self._known.values()):
            raise Conflict("A key of this name holds already.", "Revoke it or take another name.")

    def _find(self, caller: Caller, ref: str) -> _Known:
        named = [
            one
            for one in self._known.values()
            if ref in {one.key.id, one.key.name} and _is_within(caller, one.key)
        ]
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

    def _audit(self, conn: Connection, caller: Caller, action: str, row: int) -> None:
        audit.add(
            conn,
            at=to_ms(self._clock.now()),
            actor=caller.actor,
            client=caller.client,
            action=action,
            detail=encode_id(IdKind.KEY, row),
        )


def _caller_of(known: _Known) -> Caller:
    key = known.key
    return Caller(
        key.id,
        preset=key.preset,
        toolsets=frozenset(key.toolsets),
        scopes=frozenset(key.scopes) or None,
        instances=frozenset(key.instances) or None,
        rate_per_min=key.rate_per_min,
        expires_at=key.expires_at,
        generation=known.generation,
    )


def _require(caller: Caller, scope: Scope) -> None:
    if not caller.may(scope):
        raise Forbidden(f"This key lacks the scope {scope}.")


def _is_within(caller: Caller, key: ApiKey) -> bool:
    """Whether a key opens nothing that its maker's own does not, and for no longer."""
    scopes = key.scopes or PRESET_SCOPES[key.preset]
    ends_at, rate = key.expires_at, key.rate_per_min
    return (
        PRESETS.index(key.preset) <= PRESETS.index(caller.preset)
        and all(covers(caller.granted, scope) for scope in scopes)
        and caller.toolsets.issuperset(key.toolsets)
        and (
            caller.instances is None
            or (bool(key.instances) and caller.instances.issuperset(key.instances))
        )
        and (caller.expires_at is None or (ends_at is not None and ends_at <= caller.expires_at))
        and (caller.rate_per_min is None or (rate is not None and rate <= caller.rate_per_min))
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
