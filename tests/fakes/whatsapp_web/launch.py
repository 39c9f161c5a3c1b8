"""Runs a worker unchanged in a process whose WhatsApp engine trusts a fake.

    python launch.py ROOT_KEY_HEX CA_FILE COVERAGE_FILE MODULE [ARGUMENTS…]

The engine's library keeps the public key of WhatsApp's root in a writable page, so it can be
overwritten in this process's memory; nothing on disk changes. Linux only. All comes by arguments
because the product gives its workers a minimal environment. With a file for them the lines that run
are counted, also on the engine's own threads and although a worker ends by being killed.
"""

import ctypes
import os
import runpy
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from coverage import Coverage

_SAVE_S = 0.2
# WACertPubKey in whatsmeow's handshake.go.
_WHATSAPP_ROOT = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")


def trust_host(ca_file: str) -> None:
    """Go's runtime takes the environment the process began with, so the process begins again."""
    environment = os.environ  # noqa: TID251 — Go's TLS knows no other way
    if environment.get("SSL_CERT_FILE") != ca_file:
        environment["SSL_CERT_FILE"] = ca_file
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 — this very program


def trust_root(root_key: bytes) -> None:
    """Before the engine is imported."""
    library = _library()
    ctypes.CDLL(str(library))  # the engine later gets this very library
    if (replaced := _overwrite(library.name, root_key)) != 1:
        raise RuntimeError(f"found the engine's root key {replaced} times, not once")


def _library() -> Path:
    spec = find_spec("neonize")
    if spec is None or spec.origin is None:
        raise RuntimeError("the WhatsApp engine is not installed")
    (library,) = Path(spec.origin).parent.glob("neonize-linux-*.so")
    return library


def _overwrite(library: str, key: bytes) -> int:
    replaced = 0
    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        if library not in line or "w" not in line.split()[1]:
            continue
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        page = ctypes.string_at(start, end - start)
        at = page.find(_WHATSAPP_ROOT)
        while at >= 0:
            ctypes.memmove(start + at, key, len(key))
            replaced += 1
            at = page.find(_WHATSAPP_ROOT, at + len(key))
    return replaced


def count_lines(data_file: str) -> None:
    """Before anything of the worker is imported."""
    coverage = Coverage(
        data_file, data_suffix=True, config_file=False, branch=True, source=["messengers"]
    )
    coverage.start()

    def save() -> None:
        while True:
            time.sleep(_SAVE_S)
            coverage.save()

    threading.Thread(target=save, daemon=True).start()
    make = ctypes.CFUNCTYPE

    def traced(*types: Any, **flags: bool) -> type:  # noqa: ANN401 - as ctypes has it
        """Of callbacks: the engine calls them on threads that Python did not start nor trace."""

        base: Any = make(*types, **flags)

        class Traced(base):
            _flags_, _restype_, _argtypes_ = base._flags_, base._restype_, base._argtypes_

            def __new__(cls, function: Callable[..., object]) -> Any:  # noqa: ANN401 - as above
                def called(*given: object) -> object:
                    sys.settrace(threading.gettrace())
                    return function(*given)

                return base.__new__(cls, called)

        return Traced

    ctypes.CFUNCTYPE = traced


def main() -> None:
    root_key, ca_file, coverage_file, module, *arguments = sys.argv[1:]
    sys.path.pop(0)  # this folder, whose modules the worker must not meet
    trust_host(ca_file)
    if coverage_file:
        count_lines(coverage_file)
    trust_root(bytes.fromhex(root_key))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
