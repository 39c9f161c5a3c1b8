"""The embedded store: one writing connection, read-only readers, a search index, secrets."""

from messengers.store.database import Store

__all__ = ["Store"]
