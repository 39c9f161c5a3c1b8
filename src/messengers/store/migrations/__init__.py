"""The way from an older database to this one."""

from messengers.store.migrations.upgrade import REVISIONS, SCRIPTS, migrate, stored_revision

__all__ = ["REVISIONS", "SCRIPTS", "migrate", "stored_revision"]
