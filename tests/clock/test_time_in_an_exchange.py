"""Inside an exchange time stands still for its own activity: when a reading would be taken depends on the machine."""

from __future__ import annotations

import threading

from rig.clock.virtual import VirtualClock


class _Link:
    def abort(self) -> None:
        raise AssertionError("the reply comes in time")


def test_time_stands_still_inside_an_exchange_while_its_reply_is_deferred() -> None:
    clock = VirtualClock()
    start, answered = clock.now(), threading.Event()
    with clock.io(_Link(), 5.0):
        server = threading.Thread(target=lambda: clock.defer(0.5, answered.set))
        server.start()
        assert answered.wait(30.0)  # the reply is there: the clock has gone on
        assert clock.now() == start
        server.join()
    assert clock.now() == start + 500_000_000
