"""What every test has: the case manifest, the canary, one async backend, steady property tests."""

import hypothesis
import pytest

pytest_plugins = ["tests.cases", "tests.canary"]

# The machine's load is no property of the code: the timeout of a whole test is the deadline.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


# What takes longest begins first, so that no process is left alone with it at the end.
_LONGEST = (
    "tests/docs",
    "tests/crash",
    "tests/test_benchmarks.py",
    "tests/fakes/test_whatsapp_web.py",
    "tests/providers/whatsapp_web",
    "tests/process",
    "tests/web/chat/test_browser.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
