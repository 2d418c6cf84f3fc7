"""The DS1000Z driver against its face in the twin, over loopback TCP: states, samples, noise, faults."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from rig.clock.base import NS, to_ns
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout, Refused
from rig.instruments.link import VisaLink
from rig.instruments.ports import Capture, CaptureSettings, ScopeState
from rig.instruments.scopes.rigol_ds1000z import RigolDS1000Z
from rig.twin.rigol_ds1000z import Imperfections, TwinDS1000Z
from rig.twin.wire import LineServer

NOISE_V = 0.05
WANTED = CaptureSettings(window_s=600.0, pre_s=2.0, depth=120_000, top_v=12.5, bottom_v=-0.5, trigger_v=8.0)


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

    def on_fall(self, level_v: float, fn: Callable[[int], None]) -> _Subscription:
        assert level_v == 8.0
        self.subscribers.append(_Subscription(fn))
        return self.subscribers[-1]


@dataclass
class Bench:
    clock: VirtualClock
    node: Node
    face: TwinDS1000Z
    server: LineServer
    link: VisaLink
    scope: RigolDS1000Z


Make = Callable[..., Bench]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Bench] = []

    def build(noise_v: float = NOISE_V, **more: object) -> Bench:
        clock = VirtualClock()
        node = Node(clock)
        face = TwinDS1000Z(clock, node, 7, noise_v, **more)  # type: ignore[arg-type]
        server = LineServer("scope", face.handle, clock, threading.RLock())
        link = VisaLink(server.address, clock, 1.0, "scope")
        made.append(Bench(clock, node, face, server, link, RigolDS1000Z("scope", link, 1, 10.0, clock)))
        return made[-1]

    yield build
    for bench in made:
        bench.scope.close()
        bench.server.close()


def captured(bench: Bench, wanted: CaptureSettings = WANTED, fall_s: float = 10.0, length_s: float = 185.0) -> Capture:
    bench.scope.configure(wanted)
    bench.scope.arm()
    bench.node.cut(fall_s, length_s)
    bench.clock.sleep(fall_s + wanted.window_s * 2.5)
    return bench.scope.read()


def volts(capture: Capture) -> npt.NDArray[np.float64]:
    return (capture.codes - capture.zero_code) * capture.volts_per_code


def test_the_trigger_states_take_the_time_that_they_take(make: Make):
    bench = make()
    bench.scope.configure(WANTED)
    assert bench.scope.state() is ScopeState.STOPPED
    bench.scope.arm()
    assert bench.scope.state() is ScopeState.FILLING
    bench.clock.sleep(1.999)
    assert bench.scope.state() is ScopeState.FILLING
    bench.clock.sleep(0.001)
    assert bench.scope.state() is ScopeState.WAITING
    bench.node.cut(50.0, 1.0)
    bench.clock.sleep(49.999)
    assert bench.scope.state() is ScopeState.WAITING
    bench.clock.sleep(0.001)
    assert bench.scope.state() is ScopeState.TRIGGERED
    bench.clock.sleep(597.999)
    assert bench.scope.state() is ScopeState.TRIGGERED
    bench.clock.sleep(0.001)
    assert bench.scope.state() is ScopeState.STOPPED


def test_a_fall_while_the_pre_trigger_fills_is_missed(make: Make):
    bench = make()
    bench.scope.configure(WANTED)
    bench.scope.arm()
    bench.node.cut(1.0, 185.0)
    bench.clock.sleep(100.0)
    assert bench.scope.state() is ScopeState.WAITING


def test_the_fall_is_at_the_trigger_and_the_rise_is_where_it_was(make: Make):
    capture = captured(make())
    down = np.flatnonzero(volts(capture) < 6.0)
    assert len(capture.codes) == 120_000
    assert capture.first_s + down[0] * capture.dt_s == pytest.approx(0.0, abs=capture.dt_s)
    assert capture.first_s + (down[-1] + 1) * capture.dt_s == pytest.approx(185.0, abs=capture.dt_s)
    assert np.array_equal(down, np.arange(down[0], down[-1] + 1))


def test_neither_12_v_nor_0_v_is_clipped_and_both_lie_within_the_stated_errors(make: Make):
    capture = captured(make())
    assert capture.codes.min() > capture.low_code
    assert capture.codes.max() < capture.high_code
    error = np.minimum(abs(volts(capture)), abs(volts(capture) - 12.0)).max()
    assert error <= NOISE_V + capture.volts_per_code / 2 + 1e-9
    assert error <= capture.offset_error_v


def test_an_instrument_at_its_limits_stays_within_the_stated_errors(make: Make):
    flaws = Imperfections(gain_error=0.02, offset_v=-0.2, time_base_ppm=70.0)
    capture = captured(make(imperfections=flaws))
    found = volts(capture)
    down = np.flatnonzero(found < 6.0)
    bound = capture.gain_error * 12.0 + capture.offset_error_v
    assert np.minimum(abs(found), abs(found - 12.0)).max() <= bound
    length = len(down) * capture.dt_s
    assert length != 185.0
    assert abs(length - 185.0) <= 185.0 * capture.time_base_ppm * 1e-6 + 2 * capture.dt_s


def test_the_same_seed_gives_the_same_codes_and_another_seed_others(make: Make):
    first, again = captured(make()), captured(make())
    assert np.array_equal(first.codes, again.codes)
    other = make()
    other.face._seed = 8
    assert not np.array_equal(first.codes, captured(other).codes)


def test_the_record_is_computed_in_reads_of_at_most_250_000_points(make: Make):
    bench = make()
    capture = captured(bench, CaptureSettings(60.0, 1.0, 1_200_000, 12.5, -0.5, 8.0), length_s=20.0)
    assert len(capture.codes) == 1_200_000
    assert max(bench.node.asked) == 250_000
    assert sum(bench.node.asked) == 1_200_000
    assert np.count_nonzero(volts(capture) < 6.0) == pytest.approx(20.0 / capture.dt_s, abs=1)


def test_a_node_beyond_the_range_reads_as_clipped_codes(make: Make):
    low = CaptureSettings(600.0, 2.0, 12_000, 8.9, 5.5, 8.0)
    capture = captured(make(), low)
    assert set(np.unique(capture.codes)) == {capture.low_code, capture.high_code}


def test_what_was_before_the_history_reads_as_a_clipped_code(make: Make):
    bench = make()
    wanted = CaptureSettings(600.0, 100.0, 12_000, 12.5, -0.5, 8.0)
    bench.scope.configure(wanted)
    bench.scope.arm()
    bench.clock.sleep(100.0)
    bench.node.clock.schedule(bench.clock.now(), lambda: bench.node._fell(bench.clock.now() - to_ns(50)))
    bench.clock.sleep(600.0)
    assert bench.scope.read().codes[0] == 0


def test_a_capture_that_was_stopped_on_the_way_cannot_be_read(make: Make):
    bench = make()
    bench.scope.configure(WANTED)
    bench.scope.arm()
    bench.node.cut(10.0, 1.0)
    bench.clock.sleep(100.0)
    bench.scope.make_safe()
    assert bench.scope.state() is ScopeState.STOPPED
    with pytest.raises(Refused):
        bench.scope.read()
    bench.clock.sleep(1000.0)
    assert bench.link.query(":TRIG:POS?") == "-2"
    assert len(bench.link.query_block(":WAV:DATA?")) == 0
    assert bench.link.query(":SYST:ERR?").startswith("-230")


def test_somebody_who_stops_the_scope_by_hand_leaves_no_capture(make: Make):
    bench = make()
    bench.scope.configure(WANTED)
    bench.scope.arm()
    bench.face.handle(":STOP")
    with pytest.raises(LinkError, match="without a trigger"):
        bench.scope.read()


def test_a_capture_can_be_repeated(make: Make):
    bench = make()
    first = captured(bench)
    bench.scope.arm()
    bench.node.cut(5.0, 30.0)
    bench.clock.sleep(700.0)
    second = bench.scope.read()
    assert np.count_nonzero(volts(second) < 6.0) < np.count_nonzero(volts(first) < 6.0)


def test_the_24_mpts_option_must_be_there(make: Make):
    deep = CaptureSettings(600.0, 2.0, 24_000_000, 12.5, -0.5, 8.0)
    with pytest.raises(LinkError, match="-222"):
        make().scope.configure(deep)
    assert make(deep_memory=True).scope.configure(deep).depth == 24_000_000


def test_silence_costs_exactly_the_timeout(make: Make):
    bench = make()
    bench.scope.identify()
    bench.face.silent = True
    before = bench.clock.now()
    with pytest.raises(LinkTimeout):
        bench.scope.state()
    assert bench.clock.now() - before == to_ns(1.0)


def test_a_scope_stuck_in_a_state_neither_arms_nor_is_called_safe(make: Make):
    bench = make()
    bench.scope.configure(WANTED)
    bench.face.stuck_state = "STOP"
    with pytest.raises(LinkError, match="did not arm"):
        bench.scope.arm()
    bench.face.stuck_state = "TD"
    with pytest.raises(LinkError, match="does not stop"):
        bench.scope.make_safe()


def test_free_running_is_not_a_single_acquisition(make: Make):
    with pytest.raises(LinkError, match="single acquisition"):
        make().scope.state()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((":TIM:MAIN:SCAL 30",), -222),
        ((":CHAN1:SCAL 3",), -222),
        ((":CHAN5:SCAL 1",), -114),
        ((":STOP", ":ACQ:MDEP 12000"), -221),
        ((":CHAN2:DISP ON", ":ACQ:MDEP 12000"), -222),
        ((":ACQ:MDEP 13000",), -222),
        ((":TRIG:EDG:LEV 100",), -222),
        ((":TRIG:EDG:SLOP DOWN",), -224),
        ((":CHAN1:PROB 1", ":CHAN1:SCAL 0.1", ":CHAN1:OFFS -6"), -222),
    ],
)
def test_what_the_model_cannot_do_goes_into_the_error_queue(make: Make, lines: tuple[str, ...], code: int):
    face = make().face
    for line in lines:
        assert face.handle(line) is None
    answer = face.handle(":SYST:ERR?")
    assert isinstance(answer, bytes)
    assert answer.startswith(b"%d," % code)


def test_another_channel_sees_an_open_input(make: Make):
    bench = make(noise_v=0.0)
    captured(bench)
    bench.link.exchange(":WAV:SOUR CHAN2", ":WAV:STAR 1", ":WAV:STOP 100", ":SYST:ERR?")
    assert set(bench.link.query_block(":WAV:DATA?")) == {52}
