"""Examples are run against the real product."""

from tests.living import empty_house, house

__all__ = ["empty_house", "house"]
