"""Logs: structlog for us, the standard library for everyone else, one format for both.

Stdout belongs to the protocol, so entries go to stderr and to `log/messengers.log` (JSON lines,
five files of 5 MB). Every value is redacted before a line is made, whoever wrote it.
"""

import logging
import os
import sys
import threading
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

from messengers.home import LOG_FILE
from messengers.redaction import escape, redact, redact_answer, redact_value, register_secret

__all__ = [
    "catch_all",
    "configure",
    "log_file",
    "redact",
    "redact_answer",
    "register_secret",
    "tail",
]

_FILE_MAX_BYTES = 5 * 1024 * 1024
_OLD_FILES = 4
_NOISY = (
    "aiosqlite", "alembic", "asyncio", "httpcore2", "httpx2", "markdown_it", "mcp", "sqlalchemy",
    "uvicorn",
)  # fmt: skip
"""They log whole URLs, bodies or a line per call; what matters of theirs is a warning."""
_OWN = ("timestamp", "level", "logger", "event", "exception", "stack")

_log = structlog.get_logger(__name__)


def log_file(home: Path) -> Path:
    """The daemon's log."""
    return home / LOG_FILE


def configure(
    level: str = "info",
    style: Literal["console", "json"] = "console",
    file: Path | None = None,
    stream: TextIO | None = sys.stderr,
) -> None:
    """Set up the logs of the whole process; a second call replaces the first.

    `stream` None leaves only the file: a detached daemon has nobody at its stderr.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_chain(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if handler.name == __name__]:
        root.removeHandler(old)
        old.close()
    if stream is not None:
        _attach(logging.StreamHandler(stream), _json if style == "json" else _console)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _attach(_PrivateFile(file), _json)
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)


def catch_all() -> None:
    """Log what nobody caught instead of letting Python print it, since its way redacts nothing."""
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )
    sys.unraisablehook = lambda args: _uncaught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def tail(file: Path, lines: int) -> list[str]:
    """The last lines of a log, oldest first; none when there is no log."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - lines * 2_000))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]


class _PrivateFile(RotatingFileHandler):
    """A rotating file that only its owner reads, whatever the umask."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, maxBytes=_FILE_MAX_BYTES, backupCount=_OLD_FILES, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return open(descriptor, "a", encoding="utf-8")


def _attach(handler: logging.Handler, renderer: Processor) -> None:
    handler.name = __name__
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_chain(),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.getLogger().addHandler(handler)


def _chain() -> list[Processor]:
    """What every entry passes, ours and the libraries'. Tracebacks come without locals."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redacted,
    ]


def _redacted(_: object, __: str, entry: EventDict) -> EventDict:
    return {
        key: value if key.startswith("_") else redact_value(value, key)
        for key, value in entry.items()
    }


def _json(_: object, __: str, entry: EventDict) -> str:
    return escape(orjson.dumps(entry, default=str).decode())


def _console(_: object, __: str, entry: EventDict) -> str:
    """`2026-11-20T14:05:00Z warning  messengers.daemon: What happened.  key=value`.

    The lines of a traceback stand behind a bar, so that no message can pass for an entry.
    """
    head = (
        f"{entry.get('timestamp', '')} {entry.get('level', ''):<8} "
        f"{entry.get('logger', '')}: {entry.get('event', '')}"
    )
    pairs = "".join(f"  {key}={value}" for key, value in entry.items() if key not in _OWN)
    below = [str(entry[key]) for key in ("stack", "exception") if entry.get(key)]
    lines = [line for text in below for line in text.splitlines()]
    return escape(head + pairs) + "".join(f"\n    | {escape(line)}" for line in lines)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _log.critical("Nobody caught this error.", exc_info=(kind, error, trace))
