"""Reading a file of this machine that a caller named, and never one outside the media roots.

Every directory on the way and the file itself are opened without following links, each relative
to the one before, so that nothing can be swapped between a check and its use. What was opened is
then asked what it is: only a regular file is read.
"""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from messengers.errors import Forbidden, InvalidInput

__all__ = ["read_rooted"]

# A FIFO or device must not block the open; links are never followed.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


def read_rooted(path: str, roots: Sequence[Path], max_bytes: int) -> bytes:
    """The bytes of a regular file under one of the roots. Blocking.

    Raises:
        Forbidden: there are no roots, or the path lies under none of them.
        InvalidInput: it is no regular file, too large, or cannot be read. Says so without
            repeating the path.
    """
    if not roots:
        raise Forbidden(
            "Files are not attached by path here.",
            "The owner can allow a directory with MESSENGERS_MEDIA_ROOTS.",
        )
    if "\0" in path:
        raise InvalidInput("A path cannot contain a NUL character.", "Remove it.")
    root, steps = _within(path, roots)
    try:
        return _read(root, steps, max_bytes)
    except OSError as exc:
        raise InvalidInput(*_sentence(exc)) from exc


def _within(path: str, roots: Sequence[Path]) -> tuple[Path, tuple[str, ...]]:
    """The root a path lies under, and the steps from there. By the text: nothing is looked up."""
    wanted = PurePosixPath(path)
    for root in roots:
        for spelling in (root, root.resolve()):
            if wanted.is_relative_to(spelling):
                steps = wanted.relative_to(spelling).parts
                if steps and ".." not in steps:
                    return root.resolve(), steps
    raise Forbidden(
        "That path is not inside a media root.",
        "Give an absolute path without .. under a directory of MESSENGERS_MEDIA_ROOTS.",
    )


def _read(root: Path, steps: tuple[str, ...], max_bytes: int) -> bytes:
    folder = os.open(root, _FOLDER)
    try:
        for step in steps[:-1]:
            inner = os.open(step, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        file = os.open(steps[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(file, "rb") as opened:
        return _checked(opened.fileno(), opened.read, max_bytes)


def _checked(file: int, read: Callable[[int], bytes], max_bytes: int) -> bytes:
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode):
        raise InvalidInput("That is no regular file.", "Name a file.")
    if about.st_size > max_bytes:
        raise InvalidInput(f"The file is larger than {max_bytes:,} bytes.", "Send a smaller one.")
    data = read(max_bytes + 1)
    # Files of /proc say 0 and hold something; one that grows meanwhile is not what was checked.
    if len(data) != about.st_size:
        raise InvalidInput("The file is not what it says it is.", "Copy it and name the copy.")
    return data


def _sentence(exc: OSError) -> tuple[str, str]:
    match exc.errno:
        case errno.ENOENT:
            return "There is no such file.", "Check the path."
        case errno.ELOOP | errno.ENOTDIR | errno.EMLINK:
            return "A part of that path is a link or no directory.", "Name the file directly."
        case _:
            return "The file cannot be read.", "Check its permissions, or name another."
