"""People are told what the plan says, and a soak goes on whatever becomes of that."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from rig.errors import HarnessError, InputError
from rig.notify import Kind, Notifier
from rig.procedures.soak.runner import Ending, SoakRunner
from tests.soak.nights import Night, Told
from tests.soak.plans import GOOD

FAILING = """\
schema = "rig.plan/1"
[plan]
name = "tonight"
[[firmware]]
fixture = "cut-240s"
[end]
cycles = 2
[notify]
"""


@dataclass
class Remembering(Notifier):
    """Remembers what it was to tell; says what it is told to say."""

    said: list[tuple[Kind, str, str]] = field(default_factory=list)

    def tell(self, kind: Kind, title: str, text: str) -> str:
        self.said.append((kind, title, text))
        return f"notification ({kind.value}): told 0 of 1; address 1 refused it, or was not there"


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch) -> Remembering:
    remembering = Remembering()
    monkeypatch.setattr("rig.soak.open_notifier", lambda file: remembering)
    return remembering


def test_a_fail_and_the_end_are_told_and_the_night_goes_on_where_nobody_hears(
    night: Night, teller: Remembering
) -> None:
    night.text = FAILING
    outcome = night.sit()
    assert [row.verdict for row in night.told.rows] == ["FAIL", "PASS"]
    assert [kind for kind, _, _ in teller.said] == [Kind.FAIL, Kind.END]
    assert teller.said[0][1] == "tonight: cycle 1 FAIL"
    assert "chance of a violation" in teller.said[1][2]
    marks = [event.text for event in night.events() if event.kind == "mark"]
    assert [text.split(":")[0] for text in marks] == ["notification (fail)", "notification (end)"]
    kept = json.loads((outcome.folder / "soak.json").read_text())
    assert [row["text"] for row in kept["events"]] == marks


def test_only_what_the_plan_wants_is_told(night: Night, teller: Remembering) -> None:
    night.text = f'{FAILING}on = ["end"]\n'
    night.sit()
    assert [kind for kind, _, _ in teller.said] == [Kind.END]


def test_a_stop_is_told_as_a_stop_with_the_summary(night: Night, teller: Remembering) -> None:
    night.text = FAILING.replace("[notify]", '[on.fail]\nthen = "stop"\n[notify]')
    night.sit()
    assert [kind for kind, _, _ in teller.said] == [Kind.FAIL, Kind.STOP]
    assert teller.said[1][1].startswith("tonight: stopped after FAIL")


def test_a_soak_that_breaks_off_is_told_before_it_ends(
    night: Night, teller: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: SoakRunner) -> Ending:
        raise HarnessError("the machine was too slow")

    monkeypatch.setattr(SoakRunner, "run", slow)
    night.text = FAILING
    with pytest.raises(HarnessError):
        night.sit()
    assert [(kind, title, text) for kind, title, text in teller.said] == [
        (Kind.STOP, "tonight: broke off", "the machine was too slow")
    ]


def test_a_bundle_that_was_taken_away_in_the_night_is_told_before_the_soak_breaks_off(
    night: Night, teller: Remembering
) -> None:
    """What the night means needs every bundle; without it the soak ends in one line, and people hear of it."""
    night.text = FAILING.replace("cut-240s", "cut-45s")
    told = Told(after=lambda row: (night.out / row.run_id / "run.json").unlink())
    with pytest.raises(InputError, match="cannot be read"):
        night.sit(told)
    assert [(kind, title) for kind, title, _ in teller.said] == [(Kind.STOP, "tonight: broke off")]


def test_a_plan_without_notify_tells_nobody(night: Night, teller: Remembering) -> None:
    night.text = GOOD.replace("cycles = 4", "cycles = 1")
    night.sit()
    assert teller.said == []


def test_a_plan_that_wants_people_told_is_refused_before_anything_begins_where_nobody_can_be(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ICHIS_RIG_NOTIFY", raising=False)
    night.text = f"{GOOD}[notify]\n"
    with pytest.raises(InputError, match="there is no address"):
        night.sit()
    assert not night.out.exists()


def test_the_file_of_addresses_lies_beside_the_plan(night: Night) -> None:
    night.text = f'{GOOD}[notify]\nfile = "addresses.toml"\n'
    with pytest.raises(InputError, match="cannot be read") as told:
        night.sit()
    assert told.value.where.file == str(night.folder / "addresses.toml")


def test_a_soak_begins_without_the_statistics_library_and_without_the_sender() -> None:
    script = (
        "import sys, rig.soak; sys.exit(' '.join(sorted({'scipy', 'apprise', 'requests'} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
