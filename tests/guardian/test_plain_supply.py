"""The supply over a plain socket: off is what it says itself, and everything else is told by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.errors import LinkError
from rig.guardian.plain_supply import reach, switch_off
from rig.instruments.supplies.rigol_dp800 import off_texts
from tests.guardian.peers import Supply


@pytest.fixture
def supply() -> Iterator[Supply]:
    found = Supply()
    yield found
    found.server.close()


def test_it_is_switched_off_and_says_so(supply: Supply) -> None:
    assert switch_off(supply.spec()) == "OFF"
    assert not supply.on
    assert supply.heard == [":OUTP CH1,OFF", ":OUTP? CH1"]


def test_reaching_it_changes_nothing(supply: Supply) -> None:
    assert reach(supply.spec()) == "ON"
    assert supply.heard == [":OUTP? CH1"]


def test_the_texts_are_the_drivers_own() -> None:
    spec, texts = Supply().spec(), off_texts(1)
    assert (spec.off, spec.question, spec.says_off) == (texts.command, texts.question, texts.says_off)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("deaf", r"psu is not off after ':OUTP CH1,OFF' \(found ON, expected OFF or 0\)"),
        ("silent", "psu cannot be reached at .*: timed out"),
        ("hangs up", "psu cannot be reached at .*: (the connection was closed|Connection reset)"),
    ],
)
def test_what_is_not_proven_off_is_an_error(supply: Supply, how: str, told: str) -> None:
    supply.how = how
    with pytest.raises(LinkError) as caught:
        switch_off(supply.spec(timeout_s=0.2))
    assert caught.match("psu")
    import re

    assert re.search(told, caught.value.one_line())


def test_a_supply_that_is_not_there_is_named_with_its_address(supply: Supply) -> None:
    spec = supply.spec()
    supply.server.close()
    with pytest.raises(LinkError, match=f"psu cannot be reached at 127.0.0.1:{spec.at.port}: Connection refused"):
        reach(spec)
