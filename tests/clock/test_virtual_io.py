"""The virtual clock: exchanges with devices that are late or silent, trouble that reaches everybody, and costs."""

from __future__ import annotations

import threading
import time

import pytest

from rig.clock import NS
from rig.clock.virtual import VirtualClock
from rig.errors import HarnessError, LinkTimeout
from tests.clock.devices import T0, Link, Nothing, echo, from_another_thread, served, until

# -- exchanges -------------------------------------------------------------------------------------------------------


def test_an_exchange_that_is_answered_takes_no_virtual_time() -> None:
    clock = VirtualClock()
    with served(clock, echo) as [link], clock.io(link, 1.0):
        assert link.ask("hello") == "hello"
    assert clock.now() == T0


def test_silence_costs_exactly_its_virtual_time_out_and_hardly_any_real_time() -> None:
    clock = VirtualClock()
    before = time.monotonic()
    with served(clock, echo) as [link]:
        with pytest.raises(LinkTimeout, match=r"no answer within 2\.5 s"), clock.io(link, 2.5):
            link.ask("never")
        assert link.aborts == 1
    assert clock.now() == T0 + 5 * NS // 2
    assert time.monotonic() - before < 30


def test_others_run_and_talk_while_an_answer_is_late() -> None:
    clock, log = VirtualClock(), []

    def note(word: str) -> None:
        log.append(((clock.now() - T0) / NS, word))

    def other(link: Link) -> None:
        for _ in range(3):
            clock.sleep(0.5)
            with clock.io(link, 1.0):
                word = link.ask("late 0.125 inner")
            note(word)

    with served(clock, echo, links=2) as [mine, theirs]:
        activity = clock.spawn("other", lambda: other(theirs))
        for words in ("late 1.25 outer", "late 0.5 again"):
            with clock.io(mine, 10.0):
                word = mine.ask(words)
            note(word)
        note("main")
        activity.join()
    inner = (0.625, "inner"), (1.25, "inner"), (1.875, "inner")
    assert log == [inner[0], (1.25, "outer"), inner[1], (1.75, "again"), (1.75, "main"), inner[2]]


def test_several_late_answers_in_one_exchange_share_its_time_out() -> None:
    clock = VirtualClock()
    with served(clock, echo) as [link]:
        with clock.io(link, 3.0):
            assert [link.ask("late 1 a"), link.ask("late 1 b")] == ["a", "b"]
        assert clock.now() == T0 + 2 * NS
        with pytest.raises(LinkTimeout), clock.io(link, 1.5):
            _ = link.ask("late 1 a"), link.ask("late 1 b")
    assert clock.now() == T0 + 7 * NS // 2


def test_an_answer_later_than_the_time_out_is_never_delivered() -> None:
    clock = VirtualClock()
    with served(clock, echo) as [link]:
        with pytest.raises(LinkTimeout), clock.io(link, 1.0):
            link.ask("late 5 x")
        assert clock.now() == T0 + NS
        clock.sleep(10.0)


def test_nobody_waits_inside_an_exchange() -> None:
    clock = VirtualClock()
    with clock.io(Nothing(), 1.0), pytest.raises(HarnessError, match="activity main waits inside an exchange"):
        clock.sleep(1.0)


def test_an_exchange_that_breaks_raises_the_librarys_own_error() -> None:
    clock = VirtualClock()
    with pytest.raises(ConnectionRefusedError), clock.io(Nothing(), 1.0):
        raise ConnectionRefusedError("refused")
    assert clock.now() == T0


def test_a_library_that_gives_up_on_a_late_answer_gives_the_baton_back_first() -> None:
    """Real time runs out for the library while virtual time still has others to run."""
    clock, log = VirtualClock(), []
    gave_up = threading.Event()

    class Impatient:
        def abort(self) -> None:
            log.append("aborted")

    def other() -> None:
        gave_up.wait()
        log.append("other")
        clock.sleep(1.0)
        log.append("other again")

    def ask_and_give_up() -> None:
        from_another_thread(lambda: clock.defer(2.0, lambda: log.append("delivered")))
        gave_up.set()
        raise TimeoutError("the library's own")

    activity = clock.spawn("other", other)
    with pytest.raises(TimeoutError), clock.io(Impatient(), 5.0):
        ask_and_give_up()
    log.append("main")
    activity.join()
    clock.sleep(10.0)
    assert log == ["other", "main", "other again"]


def test_a_client_that_is_no_activity_gets_its_late_answer_when_time_comes_to_it() -> None:
    clock = VirtualClock()
    with served(clock, echo) as [link]:
        answers: list[str] = []
        asked = threading.Event()

        def handler_seen() -> None:
            answers.append(link.ask("late 2 x"))
            asked.set()

        thread = threading.Thread(target=handler_seen)
        thread.start()
        while not asked.is_set():
            clock.sleep(1.0)
        thread.join()
    assert answers == ["x"]


# -- trouble ---------------------------------------------------------------------------------------------------------


def test_when_everybody_waits_and_nothing_is_due_everybody_is_told() -> None:
    clock, told = VirtualClock(), []
    flag = clock.flag()

    def wait_for_ever() -> None:
        try:
            clock.wait(flag, float("inf"))
        except HarnessError as error:
            told.append(str(error))
            raise

    activities = [clock.spawn(f"a{n}", wait_for_ever) for n in range(2)]
    with pytest.raises(HarnessError, match="nothing is due"):
        activities[0].join()
    for activity in activities:
        until(activity.done)
        with pytest.raises(HarnessError, match="nothing is due"):
            activity.join()
    assert len(told) == 2


def test_nothing_due_is_told_to_main_even_when_a_daemon_thread_finds_out() -> None:
    """The last activity to run ends, and dispatches in its own thread: main must not wait for ever."""
    clock = VirtualClock()
    flag = clock.flag()
    clock.spawn("last", lambda: None)
    with pytest.raises(HarnessError, match="nothing is due"):
        clock.wait(flag, float("inf"))
    with pytest.raises(HarnessError, match="nothing is due"):
        clock.sleep(1.0)


@pytest.mark.parametrize("who", ["main", "activity", "server"])
def test_an_event_of_the_twin_that_fails_is_a_harness_error_whoever_ran_it(who: str) -> None:
    clock = VirtualClock()

    def explode() -> None:
        raise KeyError("physics")

    def wait() -> None:
        if who == "main":
            clock.sleep(5.0)
        elif who == "activity":
            clock.spawn("a", lambda: clock.sleep(1.0))
            clock.wait(clock.flag(), float("inf"))
        else:
            with served(clock, echo) as [link], clock.io(link, 60.0):
                link.ask("never")

    clock.schedule(T0 + 2 * NS, explode)
    with pytest.raises(HarnessError, match=r"the twin failed: KeyError: 'physics'") as caught:
        wait()
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_activity_that_was_spawned_before_the_trouble_never_starts() -> None:
    clock, ran = VirtualClock(), []

    def explode() -> None:
        raise KeyError

    clock.schedule(T0, explode)
    activity = clock.spawn("late", lambda: ran.append(1))
    with pytest.raises(HarnessError):
        clock.sleep(1.0)
    until(activity.done)
    with pytest.raises(HarnessError):
        activity.join()
    assert ran == []


def test_a_thread_that_the_clock_did_not_start_may_not_wait_on_it() -> None:
    clock, found = VirtualClock(), []

    def stranger() -> None:
        try:
            clock.sleep(1.0)
        except HarnessError as error:
            found.append(str(error))

    from_another_thread(stranger)
    assert found == ["a thread that the clock did not start called the clock"]


# -- what it costs ---------------------------------------------------------------------------------------------------


def test_waits_that_end_early_leave_nothing_behind() -> None:
    clock = VirtualClock()
    ticks = clock.flag()
    for _ in range(10_000):
        flag = clock.flag()
        clock.schedule(clock.now(), flag.set)
        assert clock.wait(flag, 3600.0)
        assert not clock.wait(ticks, 0.0)
    assert len(clock._queue) < 1000
    assert clock._waits == []


def test_ten_thousand_exchanges_leave_no_thread_behind() -> None:
    clock = VirtualClock()
    with served(clock, echo) as [link]:
        assert link.ask("hello") == "hello"
        before = threading.active_count()
        for _ in range(10_000):
            with clock.io(link, 1.0):
                link.ask("hello")
        assert threading.active_count() <= before
