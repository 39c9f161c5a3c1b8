"""The fake beside a test that blocks, such as one that runs commands: in a thread of its own."""

from collections.abc import Generator
from contextlib import contextmanager

from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.fakes.telegram.server import FakeTelegram

__all__ = ["beside"]


@contextmanager
def beside() -> Generator[tuple[FakeTelegram, BlockingPortal]]:
    """Hooks are called through the portal: `portal.call(telegram.write, ada, shop, "hi")`.

    What only looks, such as `shop.sent()`, needs no portal. `check` is called at the end.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(FakeTelegram()) as telegram,
    ):
        yield telegram, portal
        telegram.check()
