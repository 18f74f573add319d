"""A disk whose reads and syncs fail or take long, under a process that runs: a library before the system's."""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_name("failing_disk.c")
_ORDERS = struct.Struct("7i")


class Orders:
    """What a disk is told to do, and what it says it did; the test and the process under test share it."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _ORDERS.size)

    def _set(self, at: int, value: int) -> None:
        struct.pack_into("i", self._page, 4 * at, value)

    def _get(self, at: int) -> int:
        return struct.unpack_from("i", self._page, 4 * at)[0]

    def fail_to_sync(self) -> None:
        self._set(0, errno.EIO)

    def take_to_sync(self, seconds: float) -> None:
        self._set(1, round(seconds * 1000))

    def fail_to_read(self) -> None:
        self._set(2, errno.EIO)

    def fail_each(self, count: int) -> None:
        """Have every `count`th sync fail."""
        self._set(6, count)

    def be_well(self) -> None:
        for at in (0, 1, 2, 6):
            self._set(at, 0)

    @property
    def syncs_failed(self) -> int:
        return self._get(3)

    @property
    def reads_failed(self) -> int:
        return self._get(4)


class FailingDisk(Orders):
    """Made in `folder`; `environment` puts it under a process, for files whose path holds `files`."""

    def __init__(self, folder: Path, *, files: str, trace: Path | None = None) -> None:
        library, orders = folder / "failing_disk.so", folder / "orders"
        command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        orders.write_bytes(bytes(_ORDERS.size))
        super().__init__(orders)
        self.environment = {"LD_PRELOAD": str(library), "DISK_ORDERS": str(orders), "DISK_FILES": files}
        if trace is not None:
            self.environment["DISK_TRACE"] = str(trace)


def made_in(folder: Path, *, files: str, trace: Path | None = None) -> FailingDisk:
    """Make one; without a compiler that is a failure in CI and a visible skip elsewhere."""
    if shutil.which("gcc") is None:
        text = "not installed: gcc; apt-get install --no-install-recommends gcc libc6-dev"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return FailingDisk(folder, files=files, trace=trace)
