"""A twin's oscilloscope behind its wire, its driver before it, and a node whose cuts are known to the nanosecond."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rig.clock.base import NS, to_ns
from rig.clock.virtual import VirtualClock
from rig.instruments.link import VisaLink
from rig.instruments.ports import Capture, CaptureSettings
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.keysight_infiniivision import KeysightInfiniiVision
from rig.instruments.scopes.rigol_ds1000z import RigolDS1000Z
from rig.instruments.scopes.siglent_sds1000x_e import SiglentSDS1000XE
from rig.twin.scopes.keysight_infiniivision import TwinInfiniiVision
from rig.twin.scopes.rigol_ds1000z import TwinDS1000Z
from rig.twin.scopes.scope_face import TwinScope
from rig.twin.scopes.siglent_sds1000x_e import TwinSDS1000XE
from rig.twin.wire import LineServer

NOISE_V = 0.05


@dataclass
class _Subscription:
    fn: Callable[[int], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Node:
    """12 V, except 0 V in each [fall, rise). Nothing is known before the clock's start."""

    clock: VirtualClock
    cuts: list[tuple[int, int]] = field(default_factory=list)
    subscribers: list[_Subscription] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def cut(self, fall_s: float, length_s: float) -> None:
        """A cut that begins `fall_s` from now."""
        fall = self.clock.now() + to_ns(fall_s)
        self.cuts.append((fall, fall + to_ns(length_s)))
        self.clock.schedule(fall, lambda: self._fell(fall))

    def _fell(self, at_ns: int) -> None:
        waiting, self.subscribers = self.subscribers, []
        for subscriber in waiting:
            if not subscriber.cancelled:
                subscriber.fn(at_ns)

    def volts(self, at_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        assert at_ns[-1] <= self.clock.now()
        self.asked.append(len(at_ns))
        out = np.full(len(at_ns), 12.0)
        for fall, rise in self.cuts:
            out[(at_ns >= fall) & (at_ns < rise)] = 0.0
        out[at_ns < 1_000 * NS] = np.nan
        return out

    def turns(self, from_ns: int, to_ns: int) -> npt.NDArray[np.int64]:
        return np.array(sorted(at for cut in self.cuts for at in cut if from_ns <= at < to_ns), np.int64)

    def on_fall(self, level_v: float, fn: Callable[[int], None]) -> _Subscription:
        assert level_v == 8.0
        self.subscribers.append(_Subscription(fn))
        return self.subscribers[-1]


@dataclass(frozen=True)
class Kind:
    """A face, the driver for it, and how long its window is when 500 s are asked for."""

    name: str
    face: Callable[..., TwinScope]
    driver: type[DeepScope]
    window_s: float
    depth: int


KINDS = (
    Kind("ds1000z", TwinDS1000Z, RigolDS1000Z, 600.0, 120_000),
    Kind(
        "infiniivision",
        lambda *a, **k: TwinInfiniiVision(*a, memory=200_000, **k),
        KeysightInfiniiVision,
        500.0,
        100_000,
    ),
    Kind("sds1000x-e", TwinSDS1000XE, SiglentSDS1000XE, 700.0, 140_000),
)
ASKED = CaptureSettings(window_s=500.0, pre_s=2.0, depth=100_000, top_v=12.5, bottom_v=-0.5, trigger_v=8.0)


@dataclass
class Bench:
    clock: VirtualClock
    node: Node
    face: TwinScope
    server: LineServer
    link: VisaLink
    scope: DeepScope
    kind: Kind

    def captured(self, asked: CaptureSettings = ASKED, fall_s: float = 10.0, length_s: float = 185.0) -> Capture:
        """A cut that begins `fall_s` after arming, captured and read."""
        self.scope.configure(asked)
        self.scope.arm()
        self.node.cut(fall_s, length_s)
        self.clock.sleep(fall_s + asked.window_s * 2.5)
        return self.scope.read()


@contextmanager
def bench(kind: Kind, noise_v: float = NOISE_V, seed: int = 7, **more: object) -> Iterator[Bench]:
    clock = VirtualClock()
    node = Node(clock)
    face = kind.face(clock, node, seed, noise_v, **more)
    server = LineServer("scope", face.handle, clock, threading.RLock())
    link = VisaLink(server.address, clock, 1.0, "scope")
    scope = kind.driver("scope", link, 1, 10.0, clock)
    try:
        yield Bench(clock, node, face, server, link, scope, kind)
    finally:
        scope.close()
        server.close()


def volts(capture: Capture) -> npt.NDArray[np.float64]:
    return (capture.codes - capture.zero_code) * capture.volts_per_code
