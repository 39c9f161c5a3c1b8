"""Session databases as the engine leaves them, as far as the product looks into them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from messengers.providers.whatsapp_web.protocol import secret_of

TABLE = "CREATE TABLE whatsmeow_message_secrets (message_id TEXT, key BLOB)"
DEVICES = "CREATE TABLE whatsmeow_device (jid TEXT)"
ONE_DEVICE = "INSERT INTO whatsmeow_device VALUES ('37120000000:1@s.whatsapp.net')"


def write(file: Path, *statements: str, key: str = "") -> None:
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
        if key:
            row = ("3EB0ID", secret_of(key))
            connection.execute("INSERT INTO whatsmeow_message_secrets VALUES (?, ?)", row)
