"""What a provider needs of the system besides Python packages, as data that `doctor` looks for."""

import shutil
import sys
from collections.abc import Mapping
from ctypes.util import find_library
from dataclasses import dataclass
from typing import Literal

__all__ = ["FFMPEG", "LIBMAGIC", "Requirement", "System", "this_system"]

System = Literal["Debian", "macOS", "Windows"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A program on PATH or a shared library."""

    name: str
    what_for: str
    """What does not work without it, one clause."""
    install: Mapping[System, str]
    """The command that gets it."""
    executable: str = ""
    library: str = ""
    """Its name as `ctypes.util.find_library` takes it: without `lib` and suffix."""

    def is_there(self) -> bool:
        """Whether this machine has it. Looking for a library may start a program."""
        if self.executable:
            return shutil.which(self.executable) is not None
        return find_library(self.library) is not None

    def remedy(self, system: System) -> str:
        """How to get it there; other systems of the kind have it under a similar name."""
        return f"On {system}: {self.install[system]}"


LIBMAGIC = Requirement(
    name="libmagic",
    what_for="the engine does not start",
    library="magic",
    install={
        "Debian": "sudo apt-get install libmagic1",
        "macOS": "brew install libmagic",
        "Windows": "pip install python-magic-bin",
    },
)
FFMPEG = Requirement(
    name="ffmpeg",
    what_for="audio and video cannot be sent as such",
    executable="ffmpeg",
    install={
        "Debian": "sudo apt-get install ffmpeg",
        "macOS": "brew install ffmpeg",
        "Windows": "winget install Gyan.FFmpeg",
    },
)


def this_system(platform: str = sys.platform) -> System:
    """The one whose commands are shown; every Linux is told Debian's."""
    known: Mapping[str, System] = {"darwin": "macOS", "win32": "Windows"}
    return known.get(platform, "Debian")
