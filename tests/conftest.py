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


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
