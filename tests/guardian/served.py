"""A served twin as a process of its own that tells its own truth: who feeds the rail, and since when nobody does.

`python served.py OUT SCALE BENCH`: prints the path of its bench file, then answers one JSON object a line. The truth is
the model's (contacts, the supply's stage, the volts at the hub), never what the rig's code says.
"""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig import firmware
from rig.twin.faults import parse
from rig.twin.meter import KnownImage
from rig.twin.serving import ServedTwin

FEEDS = ("meter-feed", "supply-feed")


class Truth:
    """What is physically so. Safe: both feeds' contacts open, the supply's stage off, the rail below `safe_v`."""

    def __init__(self, twin: ServedTwin) -> None:
        self._twin = twin
        self._safe_v = twin.config.topology.safe_v
        self._changes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._since_ns: int | None = None
        self._ever_both = False
        self._activations = 0
        with twin.timeline:
            world = twin.world
            feed = world.feed

            def fed() -> None:
                feed()
                self._look()

            world.feed = fed  # type: ignore[method-assign]
            behave = world.meter._behave

            def counted(known: KnownImage) -> None:
                self._activations += 1
                behave(known)

            world.meter._behave = counted  # type: ignore[method-assign]
            self._arm(falling=True)
            self._arm(falling=False)
            self._look()

    def now(self) -> dict[str, Any]:
        with self._twin.timeline:
            return self._now()

    def wait(self, name: str, value: object, timeout_s: float) -> dict[str, Any]:
        """Wait until this part of the truth has this value; the truth then, or when the time is over."""
        end = time.monotonic() + timeout_s
        while (found := self.now())[name] != value and time.monotonic() < end:
            with contextlib.suppress(queue.Empty):
                self._changes.get(timeout=max(0.0, end - time.monotonic()))
        return found

    def _now(self) -> dict[str, Any]:
        world = self._twin.world
        closed = {role: contact.closed for role, contact in world.contacts.items()}
        volts = world.rail.now_v()
        fed = any(closed[role] for role in FEEDS) or world.supply.on
        return {
            "safe": not fed and volts < self._safe_v,
            "ever_both": self._ever_both,
            "since_ns": self._since_ns,
            **closed,
            "supply": world.supply.on,
            "volts": volts,
            "version": world.meter.version,
            "activations": self._activations,
        }

    def _look(self) -> None:
        """Inside the timeline's turn: is it safe now, and since when?"""
        found = self._now()
        safe = found["safe"]
        self._ever_both |= all(found[role] for role in FEEDS)
        if safe and self._since_ns is None:
            self._since_ns = self._twin.timeline.real_ns(self._twin.timeline.now())
        elif not safe:
            self._since_ns = None
        self._changes.put(None)

    def _arm(self, *, falling: bool) -> None:
        def crossed(_: int) -> None:
            self._look()
            self._arm(falling=falling)

        self._twin.world.rail.watch(self._safe_v, falling, crossed)


def main(out: str, scale: str, bench: str) -> None:
    there = firmware.load("cut-45s")
    twin = ServedTwin([there, firmware.load_back(there)], bench, float(scale))
    truth = Truth(twin)
    file = Path(out) / "twin.toml"
    file.write_text(twin.bench_text())
    print(file, flush=True)
    calls: dict[str, Callable[..., Any]] = {
        "truth": truth.now,
        "wait": truth.wait,
        "fault": lambda name: _fault(twin, name),
    }
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(calls[request.pop("do")](**request)), flush=True)
    twin.close()


def _fault(twin: ServedTwin, name: str) -> None:
    if name == "relays-dead":
        twin.relay_wire.unplug()
    else:
        with twin.timeline:
            parse(name).act(twin)


if __name__ == "__main__":
    main(*sys.argv[1:])
