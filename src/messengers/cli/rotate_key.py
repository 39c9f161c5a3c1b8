"""`messengers rotate-key`: another master key."""

from datetime import datetime
from typing import Annotated

import typer

from messengers.cli.control import place_of
from messengers.cli.terminal import Home, require_person, say
from messengers.clock import to_ms
from messengers.core.words import counted
from messengers.lock import locked
from messengers.settings import Settings
from messengers.store.rotation import rotate

__all__ = ["rotate_key"]


def rotate_key(
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Keep the old key as secret.key.old, for backups.")
    ] = False,
    home: Home = None,
) -> None:
    """Make a new master key and seal every stored secret by it; no daemon may run.

    API keys, accounts and webhooks go on. Backups made before open with the old key only.
    """
    require_person("Replacing the master key")
    place = place_of(home)
    with locked(place):
        keyring = Settings.load(home=place).keyring
        if not keep_old:
            typer.confirm(
                "Backups made before need the old key, which goes (--keep-old keeps it). Go on?",
                abort=True,
            )
        now = to_ms(datetime.now().astimezone())
        count = rotate(place, now, keyring=keyring, keeps_old=keep_old)
    say(f"Sealed anew: {counted(count, 'value')}.", "Make a backup: earlier ones need the old key.")
