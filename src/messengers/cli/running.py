"""Running a daemon in this process: settings, lock, logs, and one sentence when it fails."""

import gc
import sys
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from typing import cast

from anyio.abc import ByteStream

from messengers.cli.starting import ALREADY_RUNNING
from messengers.errors import AlreadyRunning, Forbidden, InvalidInput, MessengersError
from messengers.home import home_directory
from messengers.lock import locked
from messengers.logs import catch_all, configure, log_file
from messengers.redaction import redact
from messengers.settings import Settings

__all__ = ["detached", "run_daemon"]

_FAILED, _MISUSED = 1, 2


def detached(arguments: list[str]) -> int:
    """`serve --home DIR --detached`, as a client starts it."""
    home = arguments[arguments.index("--home") + 1]
    return run_daemon(lambda: Settings.load(home=home_directory(home)), by_client=True)


def run_daemon(
    load: Callable[[], Settings],
    *,
    by_client: bool = False,
    stream: ByteStream | None = None,
    ready: Callable[[str], None] = lambda _: None,
) -> int:
    """Run until told to end. A failure is one sentence on stderr.

    The exit code: 0 ended as told, 2 the settings or what they lead to are refused, 75 another one
    runs, 1 anything else.
    """
    with ExitStack() as stack:
        try:
            settings = load()
            stack.enter_context(locked(settings.home))
        except MessengersError as exc:
            _tell(exc)
            if isinstance(exc, AlreadyRunning):
                return ALREADY_RUNNING
            return _MISUSED if isinstance(exc, InvalidInput) else _FAILED
        # A detached daemon has nobody at its stderr: there only what fails before this.
        shown = None if by_client and stream is None else sys.stderr
        configure(settings.log_level, settings.log_format, log_file(settings.home), shown)
        catch_all()
        return _serve(settings, by_client, stream, ready)


def _serve(
    settings: Settings, by_client: bool, stream: ByteStream | None, ready: Callable[[str], None]
) -> int:
    # Only now, when the lock is ours: who loses a race must not pay for this.
    gc.disable()
    import anyio

    from messengers.daemon import Mode, serve

    gc.enable()
    gc.freeze()
    # Calls take a tenth less with it; Windows has none.
    loop = {"use_uvloop": find_spec("uvloop") is not None}
    try:
        anyio.run(serve, settings, Mode(by_client, stream, ready), backend_options=loop)
    except (MessengersError, BaseExceptionGroup) as exc:
        error = _cause(exc)
        if error is None:
            raise
        _tell(error)
        return _MISUSED if isinstance(error, Forbidden | InvalidInput) else _FAILED
    return 0


def _cause(raised: BaseException) -> MessengersError | None:
    """Task groups wrap what ends them; one of ours is enough for one sentence."""
    if isinstance(raised, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", raised).exceptions
        return next(filter(None, map(_cause, inner)), None)
    return raised if isinstance(raised, MessengersError) else None


def _tell(error: MessengersError) -> None:
    print(f"messengers: {redact(str(error))}", file=sys.stderr)  # noqa: T201 - for a person
