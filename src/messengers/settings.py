"""Every setting of the product, and the one place that reads the environment for them.

Order: flag, then `MESSENGERS_*` in the environment, then `settings.toml` in the data directory.
Credentials of instances are no settings: they live sealed in the store.
"""
# ruff: noqa: TID251  # the place that reads the environment

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, ClassVar, Literal, cast, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from messengers import home as places
from messengers.errors import InvalidInput
from messengers.guarded import AllowedHosts
from messengers.models import Confirm, Preset, Toolset
from messengers.urls import SafeUrl
from messengers.zones import named_zone, system_zones

__all__ = [
    "LOOPBACK_NAMES",
    "Settings",
    "describe_differences",
    "known_toolsets",
    "unknown_variables",
]

PREFIX = "MESSENGERS_"
FILE = "settings.toml"
_CLIENT_VARIABLES = frozenset({"API_KEY"})
"""What our documented client configurations read: it may stand in the same environment."""
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_TOOLSETS: tuple[Toolset, ...] = get_args(Toolset)
_NAMED = f"{', '.join(_TOOLSETS[:-1])} and {_TOOLSETS[-1]}"


def _split(separator: str) -> BeforeValidator:
    """A list in one variable: parts between separators; a real list passes as it is."""

    def split(value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(separator) if part.strip()]
        return value

    return BeforeValidator(split)


def known_toolsets(names: Iterable[str]) -> tuple[Toolset, ...]:
    """The tool sets of these names, each once.

    Raises:
        InvalidInput: one does not exist. Ignored, its tools would be missing without a word.
    """
    asked = set(names)
    if asked.difference(_TOOLSETS):
        raise InvalidInput("There is no tool set of that name.", f"There are {_NAMED}.")
    return tuple(each for each in _TOOLSETS if each in asked)


def _known(value: object) -> object:
    """The same for the setting, whose own sentence stands around this one."""
    if not isinstance(value, list | tuple):
        return value
    try:
        return known_toolsets(str(each) for each in cast("Iterable[object]", value))
    except InvalidInput as exc:
        raise ValueError(f"there are {_NAMED}") from exc


def _days(value: int) -> int:
    """A day is what a draft may wait for the owner, with files in it."""
    if value == 1:
        raise ValueError("2 at least, or 0")
    return value


Names = Annotated[tuple[str, ...], NoDecode, _split(",")]
Toolsets = Annotated[tuple[Toolset, ...], NoDecode, BeforeValidator(_known), _split(",")]
Retention = Annotated[int, Field(ge=0), AfterValidator(_days)]
Paths = Annotated[tuple[Path, ...], NoDecode, _split(os.pathsep)]


class _File(TomlConfigSettingsSource):
    """`settings.toml`; every fault of it is the owner's to repair."""

    def __init__(self, settings_cls: type[BaseSettings], file: Path) -> None:
        try:
            super().__init__(settings_cls, file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise InvalidInput(f"{file} is no TOML: {exc}.", "Correct or remove it.") from exc
        except OSError as exc:
            raise InvalidInput(
                f"{file} cannot be read: {exc.strerror}.",
                "Give it to the user that runs Messengers.",
            ) from exc
        if "home" in self.toml_data:
            raise InvalidInput(
                f"{file} sets home, but is found by it.",
                f"Set {places.VARIABLE} or --home instead.",
            )


class Settings(BaseSettings):
    """What the owner may choose; frozen, so nothing changes its meaning while it runs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    home: Path = Field(default_factory=lambda: Path(places.default_home()))
    """The data directory: database, keys, sockets, media, logs. Private to its user (0700)."""
    host: str = "127.0.0.1"
    """The address that serves HTTP. One beyond this machine needs an API key to exist first."""
    port: int = Field(default=3000, ge=0, le=65_535)
    """The port that serves HTTP. Set and taken: Messengers refuses to start. Left at its default
    and taken: it takes a free one, shown by `messengers status`. 0 takes any free one."""
    socket: Literal["unix", "tcp"] = "unix"
    """How stdio clients and the command line reach the daemon: unix sockets in the data directory,
    or loopback ports guarded by the local key, where there are no unix sockets."""
    timezone: str = ""
    """The owner's time zone by its IANA name (`Europe/Riga`). Empty: TZ, else the system's zone,
    else UTC."""
    media_roots: Paths = ()
    """Directories whose files a caller on this machine may attach by path. Empty: none."""
    media_max_bytes: int = Field(default=25 * 1024 * 1024, ge=1024)
    """The largest file that is taken in or sent, whatever a messenger would allow."""
    media_quota_bytes: int = Field(default=10 * 1024**3, ge=0)
    """The most that stored files may take together. When it is reached, those that their messenger
    gives again make room, the longest unused first; then a new one is refused. 0: no bound."""
    media_download: Literal["on_demand", "at_once"] = "on_demand"
    """When the files of messages are fetched from their messenger: when somebody wants to see them,
    or as they come."""
    media_retention_days: Retention = 0
    """Days after which a file that nobody opened is removed, at least 2. Its message stays, and
    what its messenger still has is fetched again when asked for. 0: never."""
    events_keep_days: int = Field(default=90, ge=0)
    """Days after which an event leaves the log, once every webhook was told of it. Who comes back
    with an older cursor is told so. Messages stay; when their states changed goes. 0: never."""
    audit_keep_days: int = Field(default=365, ge=0)
    """Days after which a line leaves the audit. 0: never."""
    private_hosts: Names = ()
    """Hosts, `name` or `name:port`, that URLs may lead to although their address belongs to no
    public network or their port is not 80 or 443: servers of your own. Empty: none."""
    attachment_hosts: Names = ()
    """Hosts, `name` or `name:port`, from which an agent may attach files by URL without asking
    you. What else it composes you are asked about before anything is looked up. Empty: none."""
    egress_proxy: SafeUrl | None = None
    """A proxy (`http://host:port`) that carries what goes to addresses that somebody named. They
    are looked up and judged here all the same; `HTTP_PROXY` and its like have no effect on them."""
    transcribe_command: str = ""
    """A program that writes down speech: it gets a voice message on stdin and writes its words to
    stdout. Empty: none; nothing is written down."""
    transcribe_url: SafeUrl | None = None
    """In its place a service that does it as OpenAI's: the whole address, ending in
    `/audio/transcriptions`. One of your own network has to stand in `private_hosts`."""
    transcribe_model: str = "whisper-1"
    """The model that the service is asked for."""
    transcribe_key: SecretStr = SecretStr("")
    """The service's key."""
    image_max_pixels: int = Field(default=50_000_000, ge=1)
    """The most pixels an image may have; checked before it is decoded."""
    request_max_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    """The largest HTTP request body or line of a stdio client; uploads of the chat page follow
    `media_max_bytes`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe entries that are logged."""
    log_format: Literal["console", "json"] = "console"
    """How entries look on stderr; the log file always holds JSON lines."""
    confirm: Confirm = "unknown_chats"
    """The policy that new instances start with: whom an agent may write to without asking."""
    preset: Preset = "setup"
    """Which tools a stdio client and the local key get: reader, messenger, setup or admin."""
    toolsets: Toolsets = ()
    """More tools for a stdio client and the local key: `rich` (locations, contacts, polls,
    stickers, the order of chats), `groups` (seeing and running groups), `access` (rules on who is
    heard, for the preset admin). Empty: none of these."""
    bulk_max_recipients: int = Field(default=100, ge=1, le=1_000)
    """The most recipients of one bulk send."""
    bulk_per_minute: int = Field(default=60, ge=1, le=100_000)
    """The most messages of bulk sends that leave an instance within a minute; its pacing, and what
    its messenger says, slow it further."""
    key_sends_per_hour: int = Field(default=0, ge=0)
    """The most messages that one key, or a client of your own user, sends within an hour. 0: no
    bound; an account may have one of its own (`messengers instances budget`)."""
    key_sends_per_day: int = Field(default=0, ge=0)
    """The same within 24 hours."""
    key_new_recipients_per_day: int = Field(default=0, ge=0)
    """The most people whom it writes to within 24 hours who never wrote and were never written to.
    0: no bound."""
    requests_per_minute: int = Field(default=600, ge=1, le=1_000_000)
    """The most requests of an API key within a minute, where the key has no rate of its own.
    Clients of your own user have twenty times that."""
    failures_per_minute: int = Field(default=60, ge=1, le=1_000_000)
    """Wrong keys, signatures and links from one address within a minute, after which it is not
    heard for a while."""
    trusted_proxies: Names = ()
    """Addresses or networks (`10.0.0.5`, `10.0.0.0/8`) of reverse proxies whose `X-Forwarded-For`
    is believed when it is counted who asks how often. Empty: that header is ignored."""
    keyring: bool = False
    """Keep the master key in the operating system's keyring instead of `secret.key`."""
    allowed_hosts: Names = ()
    """Host names beside the loopback ones under which HTTP may be reached, with `:port` where it
    is not 80 or 443. Anything else is refused, against DNS rebinding."""
    allowed_origins: Names = ()
    """Web origins (`https://app.example.com`) beside our own pages that may call us."""
    oauth_issuer: SafeUrl | None = None
    """An OAuth 2.1 issuer (`https://login.example.com`) whose tokens open `/mcp` and `/sse` beside
    our own keys. Unset: none."""
    oauth_resource: SafeUrl | None = None
    """The address of `/mcp` as clients write it; tokens must be made out for it (`aud`)."""
    oauth_subjects: Names = ()
    """Whom of the issuer's users to let in, by the `sub` of their tokens: all act for you."""
    oauth_scopes: Names = ()
    """What the issuer's scopes mean here, `theirs=ours`: `chats.read=messages:read`. Repeat one to
    give it several. Empty: it issues ours."""
    oauth_preset: Preset = "messenger"
    """Which tools its tokens open at most."""
    public_url: str = ""
    """The address people reach the chat pages under, and messengers deliver to, when a proxy stands
    in front."""

    zone_files: ClassVar[tuple[str, str]] = ("/etc/timezone", "/etc/localtime")

    @classmethod
    def load(cls, **flags: object) -> "Settings":
        """Read all sources; flags that are None count as not given.

        Raises:
            InvalidInput: a value does not fit. Names the setting and what it takes, not the value.
        """
        given = {name: value for name, value in flags.items() if value is not None}
        try:
            return cls.model_validate(given)
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            told = first["msg"].removeprefix("Value error, ")
            raise InvalidInput(
                f"The setting {name or 'file'} does not fit: {told}.",
                f"Correct it where it is set: flag, {PREFIX}{name.upper()} or {FILE}.",
            ) from exc

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flag, environment, file; the file's place depends on the first two."""
        flags = init_settings()
        home = places.home_directory(str(flags.get("home", "")))
        return init_settings, env_settings, _File(settings_cls, Path(home) / FILE)

    @field_validator("home", mode="after")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        return Path(places.home_directory(str(value)))

    @field_validator("media_roots", mode="after")
    @classmethod
    def _absolute_roots(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(Path(os.path.abspath(root.expanduser())) for root in value)

    @field_validator("private_hosts", "attachment_hosts", mode="after")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            AllowedHosts(value)
        except InvalidInput as exc:
            raise ValueError("each is a host or host:port") from exc
        return value

    @field_validator("trusted_proxies", mode="after")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ip_network(each, strict=False)
            except ValueError as exc:
                raise ValueError("each is an address or a network") from exc
        return value

    @model_validator(mode="after")
    def _whole_oauth(self) -> "Settings":
        if self.oauth_issuer is not None and not (self.oauth_resource and self.oauth_subjects):
            raise ValueError("oauth_issuer needs oauth_resource and oauth_subjects")
        issuer = self.oauth_issuer
        if issuer and issuer.scheme != "https" and issuer.host not in LOOPBACK_NAMES:
            raise ValueError("oauth_issuer begins with https")
        if any(not all(pair.partition("=")) for pair in self.oauth_scopes):
            raise ValueError("oauth_scopes are written theirs=ours")
        return self

    @field_validator("egress_proxy", mode="after")
    @classmethod
    def _open_proxy(cls, value: SafeUrl | None) -> SafeUrl | None:
        if value is not None and (value.scheme, value.target) != ("http", "/"):
            raise ValueError("write http://host:port")
        return value

    @field_validator("timezone", mode="after")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value and named_zone(value) is None:
            raise ValueError("no such IANA time zone")
        return value

    @cached_property
    def oauth_scope_names(self) -> Mapping[str, tuple[str, ...]]:
        """The issuer's names of scopes, each with ours; none where it issues ours."""
        named: dict[str, tuple[str, ...]] = {}
        for pair in self.oauth_scopes:
            theirs, _, ours = pair.partition("=")
            named[theirs] = (*named.get(theirs, ()), ours)
        return named

    @property
    def port_is_explicit(self) -> bool:
        """Whether somebody set the port: then a taken one is an error, not a reason for another."""
        return "port" in self.model_fields_set

    @property
    def is_loopback(self) -> bool:
        """Whether `host` can be reached from this machine only."""
        return self.host in LOOPBACK_NAMES or self.host.startswith("127.")

    @cached_property
    def zone(self) -> ZoneInfo:
        """The owner's time zone: the setting, else TZ, else the system's zone file, else UTC."""
        named = (
            self.timezone,
            os.environ.get("TZ", "").lstrip(":"),
            *system_zones(*self.zone_files),
        )
        return next(
            (zone for name in named if name and (zone := named_zone(name))), ZoneInfo("UTC")
        )

    def socket_path(self, name: str) -> Path:
        """Where the unix socket `name` is bound; see `home.socket_path`."""
        return Path(places.socket_path(str(self.home), name))


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """One sentence for each MESSENGERS_* variable that is no setting: most often misspelt."""
    known = [name.upper() for name in Settings.model_fields]
    sentences: list[str] = []
    for name in sorted(os.environ if environment is None else environment):
        word = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and word not in known and word not in _CLIENT_VARIABLES:
            near = difflib.get_close_matches(word, known, n=1)
            hint = f" Did you mean {PREFIX}{near[0]}?" if near else ""
            sentences.append(f"{name} is no setting of Messengers and has no effect.{hint}")
    return sentences


def describe_differences(settings: Settings, variables: Mapping[str, str]) -> list[str]:
    """The names of a client's MESSENGERS_* that mean something else than what the daemon runs with.

    Names only: the values are the client's.
    """
    different: list[str] = []
    for variable, value in sorted(variables.items()):
        field = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and field in Settings.model_fields:
            try:
                meant = Settings.model_validate({"home": settings.home, field: value})
            except ValidationError:
                different.append(variable)
                continue
            if getattr(meant, field) != getattr(settings, field):
                different.append(variable)
    return different
