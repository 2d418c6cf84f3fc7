"""Whole runs with a meter that the rig does not activate itself, or that a plug-in drives: on the twin."""

from __future__ import annotations

import json
import os
import pty
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

import rig
from rig import api, firmware
from rig.bench.meter_table import AnyMeterTable, MeterTable
from rig.bench.opening import open_bench
from rig.clock import to_ns
from rig.errors import InputError
from rig.meters.desk import socket_path
from rig.procedures.progress import Silent
from rig.records.run import RunRecord
from rig.twin.bench import Twin
from tests.meters.acme import PASSWORD, Console, install
from tests.meters.test_outside import said
from tests.runs import bundles

OUTSIDE, SHORT, LONG = "twin-outside", "cut-45s", "cut-240s"
COMMON = {"poll_s": 5.0, "start_s": 60.0, "max_s": 400.0, "quiet_s": 60.0, "follow_s": 90.0}


@pytest.fixture(autouse=True)
def _own_folder(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder / "sockets"))


class Talk(Silent):
    """What the run told people, and what each of it makes them do."""

    def __init__(self, *answers: tuple[str, Callable[[], None]]) -> None:
        self.notes: list[str] = []
        self._answers = answers

    def note(self, text: str) -> None:
        self.notes.append(text)
        for words, act in self._answers:
            if words in text:
                act()


@pytest.fixture
def twin() -> Iterator[Twin]:
    it = Twin([firmware.load(SHORT)], OUTSIDE, depth=120_000)
    yield it
    it.close()


def table(**keys: Any) -> MeterTable:
    found: MeterTable = TypeAdapter(AnyMeterTable).validate_python({**COMMON, **keys})
    return found


def run(
    twin: Twin, meter: MeterTable, out: Path, talk: Talk | None = None, terminal: int | None = None, image: str = SHORT
) -> RunRecord:
    """One test with this meter's table on that twin."""
    config = twin.config.model_copy(update={"meter": meter})
    with closing(open_bench(config, twin.clock, twin.call_sets, terminal=terminal)) as bench:
        return api.run_on(bench, firmware.load(image), api.Request(out=out), talk or Talk()).record


def codes(record: RunRecord) -> set[str]:
    return {reason.code for reason in record.reasons}


def assumed(record: RunRecord) -> dict[str, str]:
    return {row.key: row.value for row in record.assumptions}


def events(out: Path, name: str) -> list[dict[str, Any]]:
    (folder,) = bundles(out)
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == name]


# -- started by a contact --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("image", "verdict"), [(SHORT, "PASS"), (LONG, "FAIL")])
def test_an_activation_that_a_contact_tells_is_judged_from_that_moment(
    image: str, verdict: str, tmp_path: Path
) -> None:
    record = rig.run_activation(OUTSIDE, image, out=tmp_path)
    assert record.verdict == verdict
    activation = record.activation
    assert activation.started_by == "outside of the rig; a contact said when"
    assert activation.uncertainty_s == pytest.approx(0.05)
    assert not activation.transferred
    assert assumed(record)["image"] == "not transferred and not verified by the rig"
    assert assumed(record)["contact.latency_s"] == "0.05 s"
    (outage,) = record.outages
    assert outage.start_s == pytest.approx(3.0, abs=0.2), "the fixture cuts 3 s after the command"
    texts = [event["text"] for event in events(tmp_path, "step") if event["name"] == "transfer"]
    assert texts == ["none: this meter takes its image another way, and nobody here checks it"]


def test_an_activation_that_begins_later_is_waited_for_up_to_the_meters_maximum(tmp_path: Path) -> None:
    """The meter takes the command and cuts 2400 s later: seen when the maximum is longer, and no PASS when not."""
    record = rig.run_activation(OUTSIDE, "late", out=tmp_path / "long")
    assert record.verdict == "PASS"
    (outage,) = record.outages
    assert outage.start_s == pytest.approx(2400.0, abs=0.2)
    twin = Twin([firmware.load("late")], OUTSIDE, depth=120_000)
    with closing(twin):
        meter = twin.config.meter.model_copy(update={"max_s": 60.0, "quiet_s": 20.0})
        impatient = run(twin, meter, tmp_path / "short", image="late")
    assert impatient.verdict == "INCONCLUSIVE"
    assert codes(impatient) == {"version_unchanged"}
    assert impatient.activation.version_after == impatient.activation.version_before


def test_a_contact_that_nobody_closes_ends_the_run_as_an_error(twin: Twin, tmp_path: Path) -> None:
    meter = twin.config.meter.model_copy(update={"wait_s": 5.0})
    record = run(twin, meter, tmp_path)
    assert record.verdict == "ERROR"
    assert any("the trigger's contact did not close within 5 s" in reason.text for reason in record.reasons)
    assert record.safe_state.proven


# -- started by a person ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person_s", [2.0, 450.0], ids=["sure", "less sure than the meter's maximum is long"])
def test_a_person_types_the_version_starts_it_and_types_the_new_version(
    person_s: float, twin: Twin, tmp_path: Path
) -> None:
    person, seat = pty.openpty()
    clock = twin.clock

    def types(text: str, after_s: float) -> Callable[[], None]:
        return lambda: clock.schedule(clock.now() + to_ns(after_s), lambda: typed(person, seat, text))

    talk = Talk(("which version does the meter run", types("1.0.0\n", 9.0)), ("a new version", types("1.1.0\n", 80.0)))
    begins = twin.world.meter.on_activate

    def begun() -> None:
        begins()
        typed(person, seat, "\n")

    twin.world.meter.on_activate = begun
    try:
        meter = table(
            driver="outside", trigger="person", maker="Maker", model="SM-ESME-1", serial="7", person_s=person_s
        )
        record = run(twin, meter, tmp_path / "runs", talk, seat)
    finally:
        os.close(person)
        os.close(seat)
    assert (record.verdict, codes(record)) == ("PASS", set())
    assert record.activation.started_by == "outside of the rig; a person said when"
    assert record.activation.uncertainty_s == pytest.approx(2 * person_s)
    assert (record.activation.version_before, record.activation.version_after) == ("1.0.0", "1.1.0")
    assert record.identities["meter"] == {"maker": "Maker", "model": "SM-ESME-1", "serial": "7", "version": "1.0.0"}
    assert assumed(record)["person_s"] == f"{person_s:g} s"
    assert any("press Enter here" in text for text in talk.notes)
    assert record.outages[0].start_s == pytest.approx(3.0 + person_s, abs=0.2), "3 s after the word, which may be late"
    assert [event["text"] for event in events(tmp_path / "runs", "asked")] == [
        t for t in talk.notes if "rig trigger" in t
    ]


def typed(person: int, seat: int, text: str) -> None:
    """Type, and wait until the kernel has brought it to the other end."""
    import select

    os.write(person, text.encode())
    assert select.select([seat], [], [], 60)[0]


def test_a_version_that_nobody_types_after_the_activation_is_no_pass(twin: Twin, tmp_path: Path) -> None:
    links = []
    clock = twin.clock
    said_bench = {"say": "version", "version": "1.0.0"}
    talk = Talk(
        (
            "which version does the meter run",
            lambda: clock.schedule(clock.now() + to_ns(5.0), lambda: links.append(said(said_bench, OUTSIDE))),
        )
    )
    begins = twin.world.meter.on_activate
    twin.world.meter.on_activate = lambda: (begins(), links.append(said({"say": "trigger"}, OUTSIDE)))[0]
    meter = table(driver="outside", trigger="person")
    record = run(twin, meter, tmp_path, talk)
    for link in links:
        link.close()
    assert len(links) == 2
    assert (record.verdict, codes(record)) == ("INCONCLUSIVE", {"version_unchanged"})
    assert not socket_path(OUTSIDE).exists()


# -- started by a command --------------------------------------------------------------------------------------------


def test_a_command_starts_it_and_another_reads_the_version(twin: Twin, tmp_path: Path) -> None:
    told, now = tmp_path / "started", tmp_path / "version"
    now.write_text("1.0.0\n")
    meter, begins = twin.world.meter, twin.world.meter.on_activate

    def begun() -> None:
        begins()
        now.write_text("1.1.0\n")

    meter.on_activate = begun
    starts = (sys.executable, "-c", f"open({str(told)!r}, 'x').close()")
    reads = (sys.executable, "-c", f"print(open({str(now)!r}).read())")
    record = run(
        twin,
        table(driver="outside", trigger="command", command=list(starts), version_command=list(reads), poll_s=30.0),
        tmp_path / "runs",
    )
    assert told.exists()
    assert (record.verdict, codes(record)) == ("PASS", set())
    assert record.activation.started_by == "outside of the rig; by a command of the lab's own"
    assert record.activation.version_after == "1.1.0"


def commanded(twin: Twin, code: str) -> MeterTable:
    return table(driver="outside", trigger="command", command=[sys.executable, "-c", code], reads=reads_of(twin))


def test_a_command_that_fails_has_started_nothing(twin: Twin, tmp_path: Path) -> None:
    record = run(twin, commanded(twin, "raise SystemExit(9)"), tmp_path)
    assert record.verdict == "ERROR"
    told = "the command that starts the activation ended with exit code 9"
    assert any(told in reason.text for reason in record.reasons)
    assert record.activation.commanded_at_s is None
    assert record.safe_state.proven


def test_a_command_that_was_killed_may_have_started_it_and_the_run_never_passes(twin: Twin, tmp_path: Path) -> None:
    record = run(twin, commanded(twin, "import os; os.kill(os.getpid(), 9)"), tmp_path)
    assert (record.verdict, codes(record)) == ("INCONCLUSIVE", {"instrument_lost"})
    assert record.activation.problem == "the command that starts the activation was ended by signal 9"
    assert len(record.outages) == 1, "it had: the rail was watched"


def reads_of(twin: Twin) -> dict[str, Any]:
    return {"driver": "modbus-tcp", "address": twin.addresses["modbus"], "profile": "synthetic-esme"}


def test_a_program_that_is_not_there_is_told_before_anything_is_touched(twin: Twin) -> None:
    meter = table(driver="outside", trigger="command", command=["no-such-program-7"], reads=reads_of(twin))
    config = twin.config.model_copy(update={"meter": meter})
    with pytest.raises(InputError, match="no such program") as caught:
        open_bench(config, twin.clock, twin.call_sets)
    assert caught.value.where.key == "meter.command[0]"


# -- by a plug-in ----------------------------------------------------------------------------------------------------


@contextmanager
def acme(
    folder: Path, monkeypatch: pytest.MonkeyPatch, image: str = SHORT, more: str = ""
) -> Iterator[tuple[Twin, MeterTable]]:
    """The plug-in of the page is installed (with `more` at its end), and speaks with a twin's own meter."""
    (folder / "site").mkdir()
    install(folder / "site", monkeypatch)
    module = folder / "site" / "acme_meter.py"
    module.write_text(module.read_text() + more)
    monkeypatch.setenv("RIG_METER_ACME", PASSWORD)
    with (
        closing(Twin([firmware.load(image)], depth=120_000)) as twin,
        closing(Console(twin.world.meter, twin.clock, twin._times.lock)) as console,
    ):
        yield twin, table(driver="plugin", plugin="acme", settings={"host": console.host, "port": console.port})


@pytest.mark.parametrize(("image", "verdict"), [(SHORT, "PASS"), (LONG, "FAIL")])
def test_the_plug_in_of_the_page_is_tested_as_any_other_meter(
    image: str, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acme(tmp_path, monkeypatch, image) as (twin, meter):
        record = run(twin, meter, tmp_path / "runs", image=image)
    assert record.verdict == verdict
    assert record.activation.transferred
    assert record.activation.started_by == "the rig"
    assert record.identities["meter"]["maker"] == "Acme"
    assert record.activation.version_after == "1.1.0"


FAILS_LATE = """

class Fails(AcmeMeter):
    def activate(self, image_hash, size):
        super().activate(image_hash, size)
        raise KeyError(self._password.reveal())


AcmeMeter = Fails
"""


def test_a_plug_in_that_fails_while_it_activates_is_watched_all_the_same_and_never_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The meter does all that a good one does; what was sent is not known, so nobody vouches for time zero."""
    with acme(tmp_path, monkeypatch, more=FAILS_LATE) as (twin, meter):
        record = run(twin, meter, tmp_path / "runs")
    assert (record.verdict, codes(record)) == ("INCONCLUSIVE", {"instrument_lost"})
    assert record.activation.problem == "meter: plug-in 'acme': activate: KeyError: '***'"
    assert record.activation.version_after == "1.1.0"
    assert len(record.outages) == 1
    assert PASSWORD not in json.dumps(record.to_json())


def test_a_plug_in_that_fails_with_a_long_cut_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with acme(tmp_path, monkeypatch, LONG, FAILS_LATE) as (twin, meter):
        assert run(twin, meter, tmp_path / "runs", image=LONG).rail_verdict == "FAIL"


TAKES_NO_IMAGE = """

class TakesNone(AcmeMeter):
    abilities = Abilities()


AcmeMeter = TakesNone
"""


def test_a_meter_that_takes_no_image_from_the_rig_is_recorded_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acme(tmp_path, monkeypatch, more=TAKES_NO_IMAGE) as (twin, meter):
        twin.world.meter.hold(bytes.fromhex(firmware.load(SHORT).sha256))
        record = run(twin, meter, tmp_path / "runs")
    assert record.verdict == "PASS"
    assert not record.activation.transferred
    assert assumed(record)["image"] == "not transferred and not verified by the rig"
