"""Files of this machine: regular ones under a media root, and nothing else."""

import os
from pathlib import Path

import anyio
import pytest

from messengers.core.rooted import read_rooted
from messengers.errors import CallerFault, Forbidden, InvalidInput

LIMIT = 1_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file, and around it what must stay out of reach."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "cake.txt").write_text("cake", "utf-8")
    (root / "Ünï cödé 🍰.txt").write_text("cake", "utf-8")
    (root / "large").write_bytes(bytes(LIMIT + 1))
    (tmp_path / "secret").write_text("secret", "utf-8")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "link inside").symlink_to(root / "sub" / "cake.txt")
    (root / "out").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2" / "near").write_text("secret", "utf-8")
    os.mkfifo(root / "fifo")
    with (root / "sparse").open("wb") as file:
        file.truncate(5 * 1024**3)
    return root


@pytest.mark.case("S39")
@pytest.mark.parametrize("name", ["sub/cake.txt", "Ünï cödé 🍰.txt", "./sub//cake.txt"])
def test_a_regular_file_under_a_root_is_read(root: Path, name: str) -> None:
    assert read_rooted(f"{root}/{name}", [root], LIMIT) == b"cake"


@pytest.mark.case("S39")
@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "sub/../../secret",
        "%2e%2e/secret",
        "..%2fsecret",
        "link",
        "link inside",
        "out/secret",
        "loop",
        "fifo",
        "sub",
        "",
        ".",
        "sub/cake.txt/x",
        "missing",
        "large",
        "sparse",
        "sub/cake.txt\0.png",
        "../root2/near",
        "x" * 300,
        "a/" * 3_000 + "b",
    ],
)
def test_nothing_else_under_a_root_is_read(root: Path, name: str) -> None:
    with pytest.raises(CallerFault) as refused:
        read_rooted(f"{root}/{name}", [root], LIMIT)

    assert "secret" not in str(refused.value)
    assert str(root) not in str(refused.value)


@pytest.mark.case("S39")
@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "/dev/stdin",
        "file:///etc/passwd",
        "relative.txt",
        "~/x",
        "root2/near",
        "",
    ],
)
def test_nothing_outside_the_roots_is_read(root: Path, path: str) -> None:
    with pytest.raises(Forbidden):
        read_rooted(path, [root], LIMIT)


@pytest.mark.case("S39")
@pytest.mark.parametrize(
    "path",
    ["/dev/zero", "/dev/null", "/proc/self/environ", f"/proc/{os.getpid()}/environ"],
    ids=["zero", "null", "self", "pid"],  # the same in each process of a run
)
def test_a_careless_root_still_gives_regular_files_only(path: str) -> None:
    with pytest.raises(InvalidInput):
        read_rooted(path, [Path("/")], LIMIT)


def test_without_roots_nothing_is_read(root: Path) -> None:
    with pytest.raises(Forbidden, match="MESSENGERS_MEDIA_ROOTS"):
        read_rooted(f"{root}/sub/cake.txt", [], LIMIT)


def test_a_root_may_itself_be_a_link_and_any_of_several(root: Path, tmp_path: Path) -> None:
    alias = tmp_path / "alias"
    alias.symlink_to(root)
    roots = [tmp_path / "nowhere", alias]

    assert read_rooted(f"{alias}/sub/cake.txt", roots, LIMIT) == b"cake"
    assert read_rooted(f"{root}/sub/cake.txt", roots, LIMIT) == b"cake"


def test_a_root_that_is_gone_says_so(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        read_rooted(f"{tmp_path}/nowhere/cake.txt", [tmp_path / "nowhere"], LIMIT)
    assert root.exists()


async def test_a_fifo_does_not_block(root: Path) -> None:
    with anyio.fail_after(5), pytest.raises(InvalidInput, match="no regular file"):
        await anyio.to_thread.run_sync(
            read_rooted, f"{root}/fifo", [root], LIMIT, abandon_on_cancel=True
        )


def test_no_file_stays_open(root: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for name in ("sub/cake.txt", "fifo", "link", "missing", "large", "sub/cake.txt/x"):
        try:
            read_rooted(f"{root}/{name}", [root], LIMIT)
        except CallerFault:
            continue

    assert len(os.listdir("/proc/self/fd")) == before
