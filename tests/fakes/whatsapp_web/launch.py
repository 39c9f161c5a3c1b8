"""Runs a worker unchanged in a process whose WhatsApp engine trusts a fake.

    python launch.py ROOT_KEY_HEX CA_FILE MODULE [ARGUMENTS…]

The engine's library keeps the public key of WhatsApp's root in a writable page, so it can be
overwritten in this process's memory; nothing on disk changes. Linux only. All comes by arguments
because the product gives its workers a minimal environment.
"""

import ctypes
import os
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

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


def main() -> None:
    root_key, ca_file, module, *arguments = sys.argv[1:]
    sys.path.pop(0)  # this folder, whose modules the worker must not meet
    trust_host(ca_file)
    trust_root(bytes.fromhex(root_key))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
