"""The listener for stdio clients, closed and cut while they are busy."""

import asyncio
import json
import socket
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from messengers import __version__
from messengers.app import open_app
from messengers.listener import Listener
from messengers.settings import Settings
from messengers.sockets import bind_unix

CLIENTS = 5
HELLO = json.dumps({"messengers": 1, "version": __version__}).encode() + b"\n"


@pytest.mark.case("F24")
@pytest.mark.parametrize("said", [b"", HELLO], ids=["silent", "greeted"])
async def test_clients_that_speak_while_they_are_cut_break_nothing(
    tmp_path: Path, said: bytes
) -> None:
    broken: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: broken.append(what))
    path = tmp_path / "s"
    clients = [socket.socket(socket.AF_UNIX) for _ in range(CLIENTS)]
    async with open_app(Settings.load(home=tmp_path / "home")) as app:
        with bind_unix(path) as bound, anyio.fail_after(10):
            listener = Listener(bound, app, needs_proof=False)
            async with anyio.create_task_group() as tasks:
                await tasks.start(listener.serve, anyio.Event())
                for client in clients:
                    client.connect(str(path))
                    client.sendall(said)
                await anyio.wait_all_tasks_blocked()
                for client in clients:
                    client.sendall(b"x")
                listener.close()
                # In the next turn of the loop the sockets are readable, and nobody has read yet.
                await anyio.lowlevel.checkpoint()
                listener.cut()
    for client in clients:
        client.close()

    assert broken == []
