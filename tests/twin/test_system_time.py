"""The served twin's time: physics at its own instants however late a thread woke, and two lines that fit together."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.twin.rail_model import RailModel
from rig.twin.system_time import FaceProbe, FaceTime, SystemTimeline


@pytest.fixture(params=[1.0, 0.01, 0.001])
def timeline(request: pytest.FixtureRequest) -> Iterator[SystemTimeline]:
    it = SystemTimeline(request.param)
    yield it
    it.close()


def test_inside_time_stands_still_and_outside_it_runs_by_the_scale(timeline: SystemTimeline) -> None:
    before = time.monotonic_ns()
    with timeline:
        first = timeline.now()
        assert timeline.now() == first
    after = time.monotonic_ns()
    assert before - 1 <= timeline.real_ns(first) <= after + 1
    with timeline:
        assert timeline.now() >= first


def test_what_is_due_happens_in_its_order_and_at_its_own_instant(timeline: SystemTimeline) -> None:
    seen: list[tuple[str, int]] = []
    done = threading.Event()

    def act(name: str) -> None:
        seen.append((name, timeline.now()))
        if name == "c":
            done.set()

    with timeline:
        now = timeline.now()
        for name, delay in (("c", 3_000_000), ("a", 1_000_000), ("b", 1_000_000)):
            timeline.schedule(now + delay, lambda n=name: act(n))  # type: ignore[misc]
        timeline.schedule(now - 5, lambda: act("at once"))
    assert done.wait(60.0), "it happens by itself"
    assert seen == [("at once", now), ("a", now + 1_000_000), ("b", now + 1_000_000), ("c", now + 3_000_000)]


def test_who_asks_finds_all_that_is_due_done_though_nobody_else_woke_up() -> None:
    timeline = SystemTimeline(1.0)
    seen: list[int] = []
    with timeline:
        now = timeline.now()
        timeline.schedule(now + 1, lambda: seen.append(timeline.now()))
        while time.monotonic_ns() <= timeline.real_ns(now + 1):
            pass
    with timeline:
        assert seen == [now + 1]
    timeline.close()


def test_a_cancelled_event_does_not_happen(timeline: SystemTimeline) -> None:
    seen: list[str] = []
    done = threading.Event()
    with timeline:
        timeline.schedule(timeline.now() + 1000, lambda: seen.append("no")).cancel()
        timeline.schedule(timeline.now() + 2000, done.set)
    assert done.wait(60.0)
    assert seen == []


def test_a_late_reply_comes_when_the_model_says_and_a_meant_silence_never(timeline: SystemTimeline) -> None:
    sent = threading.Event()
    timeline.defer(None, lambda: pytest.fail("it was meant to be silent"))
    timeline.defer(0.001, sent.set)
    assert sent.wait(60.0)


def test_an_event_that_fails_stops_the_model_and_is_told() -> None:
    timeline = SystemTimeline(1.0)

    def fail() -> None:
        raise ValueError("physics")

    with timeline:
        timeline.schedule(timeline.now(), fail)
        timeline.schedule(timeline.now() + 1, lambda: pytest.fail("nothing happens after that"))
    assert select.select([timeline.failed], [], [], 60)[0]
    assert str(timeline.failure) == "physics"
    with timeline:
        stands = timeline.now()
    with timeline:
        assert timeline.now() == stands
    timeline.close()


@given(st.sampled_from([1.0, 0.5, 0.03, 0.01, 0.001]), st.integers(0, 10**15))
def test_the_two_lines_fit_together_to_a_nanosecond(scale: float, real_ns: int) -> None:
    timeline = SystemTimeline(scale)
    start = timeline.real_ns(timeline.now())
    model = timeline.model_ns(start + real_ns)
    assert abs(timeline.real_ns(model) - (start + real_ns)) <= 1
    many = timeline.model_times(np.array([start + real_ns]))
    assert abs(int(many[0]) - model) <= 1
    timeline.close()


def test_a_face_sees_the_real_clock_and_its_events_come_by_it(timeline: SystemTimeline) -> None:
    face, seen, done = FaceTime(timeline), [], threading.Event()

    def act() -> None:
        seen.append(face.now())
        done.set()

    with timeline:
        due = face.now() + 2_000_000
        face.schedule(due, act)
    assert done.wait(60.0)
    assert abs(seen[0] - due) <= 1


def test_a_probe_sees_the_model_at_real_instants() -> None:
    timeline, fed, fallen = SystemTimeline(0.01), threading.Event(), threading.Event()
    crossed: list[int] = []
    with timeline:
        rail = RailModel(timeline)
        probe = FaceProbe(timeline, rail)
        rail.set_feed("meter", 12.0)
        start = timeline.now()
        timeline.schedule(start + 1_000_000_000, fed.set)
    assert fed.wait(60.0)
    with timeline:
        probe.on_fall(10.0, crossed.append)
        rail.set_feed("meter", None)
        cut = timeline.now()
        timeline.schedule(cut + 1_000_000_000, fallen.set)
    assert fallen.wait(60.0)
    (at,) = crossed
    with timeline:
        around = np.array([timeline.real_ns(cut), at, timeline.real_ns(cut + 1_000_000_000) - 1])
        before, crossing, end = probe.volts(around)
    assert before > 11.5
    assert crossing == pytest.approx(10.0, abs=0.01)
    assert end < 1.0
    timeline.close()
