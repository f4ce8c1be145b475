"""A folder that appears whole, or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from utils import manifest
from utils.errors import BadInput, ParleyError
from utils.names import shown

LONGEST_NAME_BYTES = 240
"""Of a folder's name: most file systems take 255, and until it is whole its name is longer."""
LONGEST_PATH_BYTES = 4_000
"""Of a whole path, which there are files beneath; Linux takes 4,096."""


@contextmanager
def whole(out: Path, *, replace: bool = False) -> Iterator[Path]:
    """Hold a new folder to write into; it takes its name when the block is through.

    Until then it is `.<name>.partial` beside it. When the block fails or is
    interrupted, nothing is left. What a killed process left is swept away; what a
    living one is writing is not touched.

    Args:
        out: The folder to be. Folders above it are made.
        replace: Take the place of a dataset, or of a folder that holds nothing but
            datasets. It stays until the new one is whole, for a moment as
            `.<name>.replaced`: from there it comes back if we are killed in that moment.

    Raises:
        BadInput: There is something else of that name, it cannot be made, or another
            process is making it.
        ParleyError: The disk refused, in the middle.
    """
    check_name_fits(out)
    _refuse_existing(out, replace=replace)
    partial, replaced = (out.parent / f".{out.name}.{one}" for one in ("partial", "replaced"))
    with _claimed(partial):
        try:
            _bring_back(replaced, out)
            _refuse_existing(out, replace=replace)
            yield partial
            _refuse_existing(out, replace=replace)
            _sync(partial)
            if os.path.lexists(out):
                out.rename(replaced)
            partial.rename(out)
            shutil.rmtree(replaced, ignore_errors=True)
        except BaseException as error:
            shutil.rmtree(partial, ignore_errors=True)
            _bring_back(replaced, out)
            if isinstance(error, OSError):
                raise ParleyError(f"{out}: cannot be written: {error.strerror}") from error
            raise


def _refuse_existing(out: Path, *, replace: bool) -> None:
    if not os.path.lexists(out):
        return
    if not replace:
        mend = "choose another, remove it, or add --replace"
        raise BadInput(f"{out} exists", where="--out", mend=mend)
    if not _may_be_replaced(out):
        mend = "choose another, or remove it yourself"
        raise BadInput(f"{out} is no dataset, and is not replaced", where="--out", mend=mend)


def _may_be_replaced(out: Path) -> bool:
    """Ask whether a folder is a dataset, or holds datasets and nothing else."""
    if out.is_symlink() or not out.is_dir():
        return False
    inside = list(out.iterdir())
    is_dataset = (out / manifest.NAME).is_file() and (out / "raw").is_dir()
    return is_dataset or all((one / manifest.NAME).is_file() for one in inside)


def _bring_back(replaced: Path, out: Path) -> None:
    """Give what was to be replaced its name again, or clear it away if its successor is there."""
    if replaced.is_dir():
        if os.path.lexists(out):
            shutil.rmtree(replaced, ignore_errors=True)
        else:
            replaced.rename(out)


def check_name_fits(out: Path) -> None:
    """Refuse a folder whose name no file system would take. Raises `BadInput`."""
    lengths = ((out.name, LONGEST_NAME_BYTES), (str(out.absolute()), LONGEST_PATH_BYTES))
    for name, most in lengths:
        if len(os.fsencode(name)) > most:
            what = f"{shown(name)} is too long a name"
            raise BadInput(what, where="--out", mend=f"use at most {most} bytes")


@contextmanager
def _claimed(partial: Path) -> Iterator[None]:
    """Make an empty folder and hold its lock, which the kernel frees if we are killed."""
    try:
        partial.mkdir(parents=True, exist_ok=True)
        held = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BadInput(f"{partial.parent}: {error.strerror}", where="--out") from error
    try:
        _sweep(partial, held)
        yield
    finally:
        os.close(held)


def _sweep(partial: Path, held: int) -> None:
    """Lock a folder and empty it."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in partial.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    except (BlockingIOError, FileNotFoundError) as error:  # it is at work, or done this moment
        what = f"another process is writing {partial}"
        raise BadInput(what, where="--out", mend="choose another, or wait for it") from error
    except OSError as error:
        raise BadInput(f"{partial}: {error.strerror}", where="--out") from error


def _sync(folder: Path) -> None:
    """Let every file reach the disk before the folder gets its name."""
    for path in [*folder.rglob("*"), folder]:
        held = os.open(path, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)
