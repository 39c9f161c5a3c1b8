"""Where the data directory and its sockets lie.

Found with `os` alone: the stdio pump runs this on every start of a client, where each import is
felt.
"""
# ruff: noqa: TID251  # one of the three places that read the environment; settings are too heavy here

import os

__all__ = [
    "CONTROL_SOCKET",
    "DAEMON_FILE",
    "LOCAL_KEY_FILE",
    "LOCK_FILE",
    "LOG_FILE",
    "MCP_SOCKET",
    "START_LOG_FILE",
    "VARIABLE",
    "child_environment",
    "default_home",
    "home_directory",
    "make_private",
    "program_directory",
    "socket_path",
]

VARIABLE = "MESSENGERS_HOME"
MCP_SOCKET = "daemon.sock"
CONTROL_SOCKET = "control.sock"
LOCK_FILE = "daemon.lock"
DAEMON_FILE = "daemon.json"
LOCAL_KEY_FILE = "local.key"
LOG_FILE = os.path.join("log", "messengers.log")
START_LOG_FILE = os.path.join("log", "start.log")
"""What a detached daemon said before it had a log, of its latest start."""
MAX_SOCKET_PATH_BYTES = 100
"""The kernel takes 108 on Linux, 104 on macOS, one of them a NUL."""
_PASSED = {
    *(
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "PATH",
        "TZ",
        "LANG",
        "LANGUAGE",
        "TMPDIR",
        "TEMP",
        "TMP",
    ),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV"),
    *("DBUS_SESSION_BUS_ADDRESS", "SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
}
_PASSED_PREFIXES = ("LC_", "XDG_", "PYTHON", "MESSENGERS_")
_PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


def default_home() -> str:
    """The platform's directory for a user's data; a test holds it equal to platformdirs."""
    if os.name == "nt":
        local = os.environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
        return os.path.join(os.path.normpath(local), "messengers")
    shared = _absolute(os.environ.get("XDG_DATA_HOME", ""))
    if not shared:
        mac = os.uname().sysname == "Darwin"
        shared = os.path.join(
            _user_directory(), "Library/Application Support" if mac else ".local/share"
        )
    return os.path.join(shared, "messengers")


def home_directory(flag: str = "") -> str:
    """The data directory: the flag, else MESSENGERS_HOME, else the platform's; absolute.

    Symbolic links stay as they are: who chose the path recognises it.
    """
    return os.path.abspath(os.path.expanduser(flag or os.environ.get(VARIABLE) or default_home()))


def socket_path(home: str, name: str) -> str:
    """Where the daemon binds the socket `name` of this home: beside the data.

    When that path is longer than a socket address can be: in a directory of this user named by a
    hash of home. Which one depends on the environment, so clients read it in the daemon's record.
    """
    path = os.path.join(home, name)
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    # Imported here because hardly any home is that long.
    from hashlib import sha256

    folder = "messengers-" + sha256(os.fsencode(home)).hexdigest()[:16]
    runtime = _absolute(os.environ.get("XDG_RUNTIME_DIR", ""))
    path = os.path.join(runtime, folder, name)
    if runtime and len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    return os.path.join(_temporary(), f"{folder}-{os.getuid()}", name)


def make_private(directory: str) -> None:
    """Create the directory as 0700, or take one that is there, if it is ours alone.

    Raises:
        PermissionError: it belongs to someone else, so whoever made it could answer in our place
            or read what we write.
    """
    os.makedirs(directory, mode=0o700, exist_ok=True)
    if os.name == "nt":
        return
    found = os.stat(directory, follow_symlinks=False)
    if found.st_mode & 0o170000 != 0o040000 or found.st_uid != os.getuid():
        raise PermissionError(f"{directory} is no directory of this user.")
    if found.st_mode & 0o077:
        os.chmod(directory, 0o700)


def child_environment() -> dict[str, str]:
    """What a child process needs of our environment; the rest may hold other programs' secrets."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIXES) or name.upper() in _PROXIES
    }


def _user_directory() -> str:
    """`~`, also where HOME is empty or relative, as in bare containers."""
    if os.path.isabs(os.environ.get("HOME", "/")):
        return os.path.expanduser("~")
    # Here, because it is hardly ever needed.
    from pwd import getpwuid

    return getpwuid(os.getuid()).pw_dir


def _absolute(path: str) -> str:
    """The XDG rules ignore what is not absolute."""
    return path if os.path.isabs(path) else ""


def _temporary() -> str:
    short = _absolute(os.environ.get("TMPDIR", ""))
    if short and len(os.fsencode(short)) <= 40:
        return short
    return "/tmp"  # noqa: S108 - everyone's, so `make_private` checks what is made in it


def program_directory(variable: str, default: str) -> str:
    """Where another program keeps its configs: what its own variable names, else the default."""
    return _absolute(os.environ.get(variable, "")) or default
