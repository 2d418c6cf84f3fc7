"""Attempts and soaks as runs note them, invented for the tests."""

from __future__ import annotations

from dataclasses import replace

from rig.records.journal import Begun, Cycle, Ended, Process, Soak

GONE = Process(1, 1, "another boot")
SOAK = Soak("soak-20261124T180000Z-0001", "2026-11-24T18:00:00Z", "cycles = 60\n", "twin", "twin", "EIG Shark 7", 3)


def begun(n: int, cycle: int | None = None, *, process: Process | None = None, **other: str) -> Begun:
    """Attempt number `n`, of this process unless told otherwise."""
    return replace(
        Begun(
            run_id=f"20261124T18{n // 60 % 60:02}{n % 60:02}Z-{n:04x}",
            kind="run",
            utc=f"2026-11-24T18:{n // 60 % 60:02}:{n % 60:02}Z",
            bench="twin",
            fixture="cut-45s",
            version_from="1.0.0",
            version_to="1.1.0",
            meter=None,
            cycle=None if cycle is None else Cycle(SOAK.soak_id, cycle),
            process=process or Process.this(),
        ),
        **other,
    )


def ended(n: int, **other: object) -> Ended:
    """Its end: a PASS of about 45 s."""
    fact = Ended(
        run_id=begun(n).run_id,
        verdict="PASS",
        rail_verdict="PASS",
        reasons=(),
        lower_s=44.9110000000000031,
        estimate_s=45.0,
        upper_s=45.00600000000001,
        limit_s=180.0,
        comparison="ge",
        version_before="1.0.0",
        version_after="1.1.0",
        safe=True,
        meter="EIG Shark 7",
        sums_sha256=f"{n:064x}",
        elapsed_s=711.8,
        elapsed_real_s=2.5,
    )
    return replace(fact, **other)  # type: ignore[arg-type]
