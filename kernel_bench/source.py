"""What the kernel is built from: Debian's source package, our configuration, two changed lines; and what is lacking.

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
    "CONFIGFS_FS",
    "DEVTMPFS",
    "DEVTMPFS_MOUNT",
    "GPIOLIB",
    "GPIO_CDEV",
    "GPIO_CDEV_V1",  # lgpio asks by the first version of the kernel's interface
    "GPIO_SIM",
    "HOSTFS",
    "UML_TIME_TRAVEL_SUPPORT",
)
LEFT_OUT = ("SOUND", "USB_SUPPORT", "BLK_DEV_UBD")
"""In the default configuration, and of no use here."""


@dataclass(frozen=True)
class Change:
    """One line of the source is another: `pattern` (a regular expression, matched once) becomes `text`. And why."""

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
)

_PROGRAMS = {"bc": "bc", "bison": "bison", "flex": "flex", "gcc": "gcc", "make": "make", "xz": "xz-utils"}
_HEADERS = {"gelf.h": "libelf-dev", "openssl/ssl.h": "libssl-dev"}


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
        parts = (self.version, platform.machine(), *OPTIONS, *LEFT_OUT, repr(CHANGES))
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
