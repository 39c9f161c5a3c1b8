"""`messengers restore`: a backup in the place of the database."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from messengers.cli.control import place_of
from messengers.cli.terminal import Home, require_person, say
from messengers.lock import locked
from messengers.settings import Settings
from messengers.store.restore import restore as put_back

__all__ = ["restore"]


def restore(
    file: Annotated[Path, typer.Argument(help="What `messengers backup` wrote.")],
    with_sessions: Annotated[
        bool, typer.Option("--with-sessions", help="Also the accounts' sessions beside it.")
    ] = False,
    home: Home = None,
) -> None:
    """Put a backup in the place of the database; what is there is set aside.

    No daemon may run. What the backup held as about to be sent is in doubt, and not sent.
    """
    # An older copy may let agents do more than the owner allows by now.
    require_person("Restoring a backup")
    place = place_of(home)
    with locked(place):
        keyring = Settings.load(home=place).keyring
        typer.confirm(
            f"Everything stored in {place} since that backup is set aside. Go on?", abort=True
        )
        aside = put_back(
            place,
            file.absolute(),
            datetime.now().astimezone(),
            keyring=keyring,
            sessions=with_sessions,
        )
    say(f"{file} is in place.", f"What was there lies in {aside}." if aside else "")
