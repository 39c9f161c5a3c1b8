"""What was said in a voice message, heard by a program or service of the owner's choice.

Off unless he chose one: the recording leaves us for it.
"""

import secrets
import shlex
from pathlib import PurePosixPath

import anyio
import orjson
from sqlalchemy import Connection

from messengers.core.children import ask_program
from messengers.core.events import Events
from messengers.core.media import MediaContent
from messengers.errors import NotReady
from messengers.guarded import Guard
from messengers.models import IdKind, require_id
from messengers.settings import Settings
from messengers.store import messages
from messengers.store.rows import dump_json, one_row

__all__ = ["Transcripts"]

_DEADLINE_S = 300.0
_MAX_BYTES = 200_000


class Transcripts:
    """Made once and kept with the message."""

    def __init__(self, settings: Settings, guard: Guard, events: Events) -> None:
        self._settings = settings
        self._guard = guard
        self._events = events
        self._turns = anyio.CapacityLimiter(1)  # a recognizer takes the whole machine

    @property
    def are_made(self) -> bool:
        """Whether the owner chose who hears."""
        return bool(self._settings.transcribe_command or self._settings.transcribe_url)

    async def of(self, message: str, index: int, content: MediaContent) -> str:
        """The words of a file of a message; '' of one that is no sound, or when nobody hears.

        Raises NotReady, or what the guard does: it could not be heard.
        """
        if not self.are_made or not content.attachment.mime.startswith("audio/"):
            return ""
        key = require_id(IdKind.MESSAGE, message.strip(), "message")
        async with self._turns:
            known = await self._events.write(lambda conn: _known(conn, key, index))
            if known:
                return known
            text = await self._heard(content)
        await self._events.write(lambda conn: self._note(conn, key, index, text))
        return text

    async def _heard(self, content: MediaContent) -> str:
        if self._settings.transcribe_command:
            return await self._of_program(content.data)
        return await self._of_service(content)

    async def _of_program(self, data: bytes) -> str:
        command = shlex.split(self._settings.transcribe_command)
        said = await ask_program(command, data, deadline_s=_DEADLINE_S, max_bytes=_MAX_BYTES)
        if said.code != 0:
            raise NotReady("The program that writes down speech failed.", "See what it needs.")
        return said.out.decode("utf-8", "replace").strip()

    async def _of_service(self, content: MediaContent) -> str:
        """As OpenAI's, https://platform.openai.com/docs/api-reference/audio/createTranscription."""
        url = self._settings.transcribe_url
        if url is None:
            return ""
        bound = secrets.token_hex(16)
        headers = {"Content-Type": f"multipart/form-data; boundary={bound}"}
        key = self._settings.transcribe_key.get_secret_value()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        reply = await self._guard.post(
            url,
            _form(bound, content, self._settings.transcribe_model),
            headers,
            max_bytes=_MAX_BYTES,
            deadline_s=_DEADLINE_S,
        )
        if reply.status != 200:
            raise NotReady(f"The service that writes down speech answered {reply.status}.")
        try:
            return str(orjson.loads(reply.body)["text"]).strip()
        except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
            raise NotReady("The service that writes down speech gave no text.") from exc

    def _note(self, conn: Connection, key: int, index: int, text: str) -> None:
        row = one_row(conn, messages.get, message=key)
        files = list(messages.message_of(row, "").attachments)
        if index >= len(files):
            return  # it was deleted meanwhile
        files[index] = files[index].model_copy(update={"transcript": text})
        stored = dump_json([file.model_dump() for file in files])
        messages.set_values(conn, key, attachments=stored)
        self._events.record(
            conn,
            "message.transcribed",
            instance_id=row["instance_id"],
            chat_id=row["chat_id"],
            message_id=key,
        )


def _known(conn: Connection, key: int, index: int) -> str:
    files = messages.message_of(one_row(conn, messages.get, message=key), "").attachments
    return files[index].transcript if index < len(files) else ""


def _form(bound: str, content: MediaContent, model: str) -> bytes:
    """The two fields; the name tells the type and nothing of its sender."""
    suffix = PurePosixPath(content.attachment.mime).name.replace("mpeg", "mp3")
    name = f"speech.{suffix}"
    head = (
        f'--{bound}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n'
        f'--{bound}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {content.attachment.mime}\r\n\r\n"
    )
    return head.encode() + content.data + f"\r\n--{bound}--\r\n".encode()
