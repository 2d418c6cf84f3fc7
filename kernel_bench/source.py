"""What the kernel is built from: Debian's source package, our configuration, a few changed lines; and what is lacking.

The key names all of it: another source, configuration or change is another kernel.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OPTIONS = (
    "64BIT",
    "ADVISE_SYSCALLS",
    "BINFMT_ELF",
    "BINFMT_SCRIPT",
    "BUG",
    "CC_OPTIMIZE_FOR_PERFORMANCE",
    "CONFIGFS_FS",
    "DEVTMPFS",
    "DEVTMPFS_MOUNT",
    "EPOLL",
    "EVENTFD",
    "EXPERT",  # without it much is in every kernel that nobody asked for
    "FILE_LOCKING",
    "FUTEX",
    "GPIOLIB",
    "GPIO_CDEV",
    "GPIO_CDEV_V1",  # lgpio asks by the first version of the kernel's interface
    "GPIO_SIM",
    "HIGH_RES_TIMERS",
    "HOSTFS",
    "INET",
    "INIT_STACK_NONE",  # the default clears every stack frame
    "INOTIFY_USER",
    "KALLSYMS",  # so that a kernel that panics says where
    "MEMBARRIER",
    "MULTIUSER",
    "NET",
    "NO_HZ_IDLE",
    "NULL_CHAN",
    "POSIX_TIMERS",
    "PRINTK",
    "PROC_FS",
    "PROC_SYSCTL",
    "SHMEM",
    "SIGNALFD",
    "SYSFS",
    "SYSVIPC",
    "TIMERFD",
    "TMPFS",
    "TTY",
    "UML_TIME_TRAVEL_SUPPORT",
    "UNIX",
    "UNIX98_PTYS",
)
"""All that the kernel has, with what these need: the default configuration takes four times as long to build."""

ALSO = ("BASE_FULL", "RANDOM_TRUST_BOOTLOADER")
"""Newer sources have no such option, and are always so: tables of full size, random numbers from the host at once."""

UNUSED = (
    "arch/[!ux]*.[chS]",
    "drivers/gpu/*.[ch]",
    "drivers/infiniband/*.[ch]",
    "drivers/media/*.[ch]",
    "drivers/net/*/*.[ch]",
    "drivers/scsi/*.[ch]",
    "drivers/staging/*.[ch]",
    "sound/*.[ch]",
    "*.dts",
    "*.dtsi",
    "*.json",
    "*.rst",
    "*.yaml",
)
"""What of the source is not unpacked: half of its bytes."""


@dataclass(frozen=True)
class Change:
    """The source is changed: `pattern` (a regular expression) becomes `text`, wherever it is. And why."""

    file: str
    pattern: str
    text: str
    why: str


CHANGES = (
    Change(
        "arch/um/include/asm/irq.h",
        r"^#define NR_IRQS\s+UM_LAST_SIGNAL_IRQ$",
        "#define NR_IRQS (UM_LAST_SIGNAL_IRQ + 128)",
        "each line of a chip that is watched for edges takes an interrupt, and there is none to spare",
    ),
    Change(
        "arch/um/Kconfig",
        r"(?<=^config HZ\n\tint\n\tdefault )100$",
        "1000",
        "a simulated interrupt comes with the next tick: edges would be stamped up to 10 ms late",
    ),
    Change(
        "arch/um/os-Linux/skas/process.c",
        r"\bPTRACE_O_TRACESYSGOOD\b",
        "(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)",
        "programs inside end with a kernel that is killed: set free, they would go on as programs of the host",
    ),
)

_PROGRAMS = {
    "bc": "bc",
    "bison": "bison",
    "flex": "flex",
    "gcc": "gcc",
    "make": "make",
    "mount": "mount",
    "perl": "perl-base",
    "setpriv": "util-linux",
    "strip": "binutils",
    "tar": "tar",
    "xz": "xz-utils",
}
_HEADERS = {"stdio.h": "libc6-dev"}


class CannotBuildError(Exception):
    """This machine cannot build the kernel, and why: no fault of the rig's."""


@dataclass(frozen=True)
class Source:
    """A source archive of Debian's, and its version."""

    archive: Path
    version: str

    @property
    def key(self) -> str:
        """Names the kernel that comes of it."""
        parts = (self.version, platform.machine(), *sorted(OPTIONS + ALSO), repr(CHANGES))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def find() -> Source:
    """The newest source that is installed. Raises CannotBuildError naming what is lacking."""
    if platform.machine() != "x86_64":
        raise CannotBuildError(f"User-Mode Linux runs on x86-64, and this is {platform.machine()}")
    lacking = sorted({package for program, package in _PROGRAMS.items() if shutil.which(program) is None})
    include = Path("/usr/include")
    lacking += [package for header, package in _HEADERS.items() if not _there(include, header)]
    archives = sorted(Path("/usr/src").glob("linux-source-*.tar.xz"), key=_number)
    if not archives:
        lacking.append("linux-source")
    if lacking:
        raise CannotBuildError(f"not installed: {', '.join(lacking)}; on Debian: apt-get install {' '.join(lacking)}")
    archive = archives[-1]
    return Source(archive, _version(archive))


def _there(include: Path, header: str) -> bool:
    return (include / header).exists() or any(include.glob(f"*-linux-gnu/{header}"))


def _number(archive: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", archive.name)]


def _version(archive: Path) -> str:
    """The package's; without dpkg, what can be told of the file."""
    package = archive.name.removesuffix(".tar.xz")
    try:
        words = ["dpkg-query", "-W", "-f", "${Version}", package]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        status = archive.stat()
        return f"{archive.name} of {status.st_size} bytes, {status.st_mtime_ns}"
