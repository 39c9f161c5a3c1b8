"""The way from an older database to this one."""

from messengers.store.migrations.upgrade import (
    REVISIONS,
    SCHEMA,
    SCRIPTS,
    migrate,
    stored_revision,
    upgrade,
)

__all__ = ["REVISIONS", "SCHEMA", "SCRIPTS", "migrate", "stored_revision", "upgrade"]
