"""Meters that other packages drive: entry points of the group `ichis_rig.meters`. See docs/meter-plugin.md.

An entry point is called with its own settings, the clock and the credentials, and gives a `rig.meters.port.Meter`. What
a plug-in raises beyond the port's errors becomes a `LinkError`, with every credential struck out: no run ends in a
traceback because of a plug-in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rig.clock import Clock
from rig.errors import InputError, LinkError, RigError, Where
from rig.meters.credentials import Credentials
from rig.meters.port import Activation, ImageState, LogEntry, Meter, MeterIdentity
from rig.toml_file import did_you_mean

GROUP = "ichis_rig.meters"


def open_plugin(name: str, settings: dict[str, Any], clock: Clock, credentials: Credentials) -> Meter:
    """The meter that the plug-in `name` drives. Raises InputError when there is none or it refuses its settings."""
    point = _found(name)
    where = Where(key="meter.plugin", found=repr(name))
    try:
        make = point.load()
        meter = make(settings, clock, credentials)
    except RigError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever another package raises is told in one line
        raise InputError(credentials.hide(f"the plug-in cannot be used: {_words(error)}"), where) from None
    if not isinstance(meter, Meter):
        expected = "a rig.meters.port.Meter"
        raise InputError("it gives no meter", Where(key=where.key, found=type(meter).__name__, expected=expected))
    return PluginMeter(name, meter, clock, credentials)


def _found(name: str) -> EntryPoint:
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        known = sorted(points)
        expected = f"one of: {', '.join(known)}" if known else f"an installed package with an entry point in {GROUP}"
        where = Where(key="meter.plugin", found=repr(name), expected=expected)
        raise InputError(f"no meter plug-in of this name{did_you_mean(name, known)}", where)
    return points[name]


class PluginMeter(Meter):
    """Another package's meter, fenced."""

    def __init__(self, plugin: str, inner: Meter, clock: Clock, credentials: Credentials) -> None:
        super().__init__()
        self.name = inner.name
        self.abilities = inner.abilities
        self.started_by = inner.started_by
        self._plugin = plugin
        self._inner = inner
        self._clock = clock
        self._credentials = credentials

    def identity(self) -> MeterIdentity:
        with self._fence("identity"):
            return self._inner.identity()

    def version(self) -> str:
        with self._fence("version"):
            return str(self._inner.version())

    def activate(self, image_hash: bytes, size: int) -> Activation:
        """Where a plug-in fails otherwise than by the port's errors, nobody knows what it had sent: see `problem`."""
        self._inner.tell = self.tell
        before = self._clock.now()
        try:
            return self._inner.activate(image_hash, size)
        except RigError as error:
            raise self._hidden(error) from None
        except Exception as error:  # noqa: BLE001 - it is told in the record
            return Activation(before, self._clock.now(), self._told("activate", error))

    def transfer(self, image: bytes, progress: Callable[[int, int], None]) -> None:
        with self._fence("transfer"):
            self._inner.transfer(image, progress)

    def verify(self, image_hash: bytes, size: int) -> ImageState:
        with self._fence("verify"):
            return self._inner.verify(image_hash, size)

    def image_state(self) -> ImageState | None:
        with self._fence("image_state"):
            return self._inner.image_state()

    def uptime_s(self) -> float | None:
        with self._fence("uptime_s"):
            return self._inner.uptime_s()

    def uptime_step_s(self) -> float:
        with self._fence("uptime_step_s"):
            return self._inner.uptime_step_s()

    def events(self) -> tuple[LogEntry, ...]:
        with self._fence("events"):
            return self._inner.events()

    def close(self) -> None:
        with self._fence("close"):
            self._inner.close()

    @contextmanager
    def _fence(self, what: str) -> Iterator[None]:
        try:
            yield
        except RigError as error:
            raise self._hidden(error) from None
        except Exception as error:  # noqa: BLE001 - as above
            raise LinkError(self._told(what, error)) from None

    def _hidden(self, error: RigError) -> RigError:
        error.message = self._credentials.hide(error.message)
        error.args = (error.message,)
        return error

    def _told(self, what: str, error: Exception) -> str:
        return self._credentials.hide(f"{self.name}: plug-in '{self._plugin}': {what}: {_words(error)}")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
