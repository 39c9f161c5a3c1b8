"""The fake beside a test that blocks, such as one that runs commands: in a thread of its own."""

from collections.abc import Generator
from contextlib import contextmanager

from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.fakes.slack.server import FakeSlack

__all__ = ["beside"]


@contextmanager
def beside() -> Generator[tuple[FakeSlack, BlockingPortal]]:
    """Hooks are called through the portal: `portal.call(slack.write, grace, helper, "hi")`.

    What only looks, such as `helper.sent()`, needs no portal. `check` is called at the end.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(FakeSlack()) as slack,
    ):
        yield slack, portal
        slack.check()
