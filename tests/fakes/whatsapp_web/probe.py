"""The engine by itself: events out and calls in, as JSON lines, for tests of the fake.

    python launch.py … tests.fakes.whatsapp_web.probe DATABASE PROXY_URL

A call is {"id": 1, "call": "send_message", "args": [{"jid": "1555…"}, "hi"]}. An argument {"jid"}
is a number, a lid or a group, {"base64"} bytes, {"enum"} a member of one of the engine's enums,
{"message"} the JSON of a protobuf message, {"info"} a message event whose
info is meant.
"""

import asyncio
import base64
import inspect
import json
import logging
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from operator import attrgetter
from typing import Any, TypeAlias, cast

import anyio
import anyio.to_thread
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message as Protobuf

__all__: list[str] = []

Json: TypeAlias = Any
_THREADS = 32


def _module(name: str) -> Json:
    """Of the engine, which has no types."""
    return import_module(f"neonize.{name}")


class Probe:
    """All goes to `out`: the engine prints to the descriptor that was standard out."""

    def __init__(self, out: int) -> None:
        client: Json = _module("aioze.client")
        events: Json = _module("aioze.events")
        self._out = out
        self._engine: Json = client.NewAClient(sys.argv[1], uuid="probe")
        self._engine.qr(self._qr)
        for kind in set(events.EVENT_TO_INT):
            self._engine.event(kind)(self._event)

    def emit(self, line: Json) -> None:
        os.write(self._out, json.dumps(line).encode() + b"\n")

    async def _qr(self, _: Json, code: bytes) -> None:
        self.emit({"event": "Qr", "data": code.decode()})

    async def _event(self, _: Json, event: Json) -> None:
        name = type(event).__name__
        if name == "HistorySync":
            self.emit({"event": name, "data": _summary(event.Data)})
        else:
            self.emit({"event": name, "data": MessageToDict(event)})

    async def run(self) -> None:
        binder: Json = _module("_binder")
        await self._engine.connect(binder.ProxySettings(proxy_address=sys.argv[2]))
        async with anyio.create_task_group() as tasks:
            while line := await anyio.to_thread.run_sync(sys.stdin.readline):
                tasks.start_soon(self._call, json.loads(line))

    async def _call(self, asked: Json) -> None:
        try:
            call: Json = attrgetter(asked["call"])(self._engine)
            arguments = [_argument(each) for each in asked.get("args", ())]
            options = {name: _argument(each) for name, each in asked.get("options", {}).items()}
            result = call(*arguments, **options)
            if inspect.isawaitable(result):
                result = await result
        except Exception as error:  # noqa: BLE001 — whatever the engine raises is the answer
            self.emit({"id": asked["id"], "error": f"{type(error).__name__}: {error}"})
        else:
            self.emit({"id": asked["id"], "result": _plain(result)})


def _summary(data: Json) -> Json:
    """Of a history that may be large."""
    texts = [
        message.message.message.conversation
        for conversation in data.conversations
        for message in conversation.messages
    ]
    return {
        "kind": data.syncType,
        "progress": data.progress,
        "chats": [conversation.ID for conversation in data.conversations],
        "messages": len(texts),
        "first": texts[0] if texts else "",
        "names": {each.ID: each.pushname for each in data.pushnames},
    }


def _argument(value: Json) -> Json:
    match value:
        case {"jid": str(jid)}:
            user, _, server = jid.partition("@")
            return _module("utils.jid").build_jid(user, server or "s.whatsapp.net")
        case {"enum": str(path)}:
            name, _, member = path.partition(".")
            return getattr(getattr(_module("utils.enum"), name), member)
        case {"base64": str(text)}:
            return base64.b64decode(text)
        case {"message": fields}:
            wire = _module("proto.waE2E.WAWebProtobufsE2E_pb2")
            return ParseDict(fields, cast("Protobuf", wire.Message()))
        case {"info": event}:
            wire = _module("proto.Neonize_pb2")
            return ParseDict(event["Info"], cast("Protobuf", wire.MessageInfo()))
        case list():
            return [_argument(each) for each in cast("list[Json]", value)]
        case _:
            return value


def _plain(value: Json) -> Json:
    match value:
        case Protobuf():
            return MessageToDict(value)
        case bytes():
            return base64.b64encode(value).decode()
        case None | str() | int() | float() | bool():
            return value
        case Sequence():
            return [_plain(each) for each in cast("Sequence[Json]", value)]
        case _:
            return repr(value)


async def _main(out: int) -> None:
    # The engine blocks one thread for as long as it runs.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    await Probe(out).run()
    os._exit(0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    _out = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(_main(_out))
