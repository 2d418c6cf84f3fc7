"""The instruments of a twin, chosen behind its name: what is taken, and what its bench file says then."""

from __future__ import annotations

import pytest

from rig.errors import InputError
from rig.twin.choice import chosen, split
from rig.twin.faces import OSCILLOSCOPES, SUPPLIES
from rig.twin.rack import draft, names


def refused(asked: str) -> str:
    with pytest.raises(InputError) as caught:
        draft(asked)
    return caught.value.one_line()


def test_a_name_alone_has_no_options() -> None:
    assert split("twin") == ("twin", {})


def test_options_stand_behind_the_name_in_any_order() -> None:
    supply, scope = "supply=rigol-dp800", "oscilloscope=rigol-ds1000z"
    assert draft(f"twin,{supply},{scope}") == draft(f"twin,{scope},{supply}")


@pytest.mark.parametrize("bench", names())
@pytest.mark.parametrize("supply", list(SUPPLIES))
@pytest.mark.parametrize("scope", list(OSCILLOSCOPES))
def test_every_twin_with_every_choice_has_a_good_bench_file_that_names_it(bench: str, supply: str, scope: str) -> None:
    config, text = draft(f"{bench},supply={supply},oscilloscope={scope}")
    assert (config.supply[0].driver, config.oscilloscope[0].driver) == (supply, scope)
    assert f'driver = "{supply}"' in text
    assert config.bench.name == bench


def test_peak_detect_is_for_an_oscilloscope_that_has_it() -> None:
    config, _ = draft("twin,oscilloscope=keysight-infiniivision,peak_detect=true")
    assert config.oscilloscope[0].peak_detect
    assert "no guide was found" in refused("twin,peak_detect=true")
    assert "the twin has no peak_detect 'yes'" in refused("twin,peak_detect=yes")


def test_a_key_that_the_table_has_not_is_added_to_it_and_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from rig.twin import choice
    from rig.twin.faces import SupplyFace

    face = SupplyFace(SUPPLIES["rigol-dp800"].make, keys={"channel": "2", "amps": "0.9"})
    monkeypatch.setitem(choice.TABLES, "supply", {"rigol-dp800": face})
    other = "[[oscilloscope]]\nchannel = 1\n"
    text = '[[supply]]\nname = "a"\nchannel = 1  # here\n\n' + other
    expected = '[[supply]]\nname = "a"\nchannel = 2\ndriver = "rigol-dp800"\namps = 0.9\n\n' + other
    assert chosen(text, {"supply": "rigol-dp800"}) == expected


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("twin,supply=rigol-dp80", "the twin has no supply 'rigol-dp80'; did you mean 'rigol-dp800'?"),
        ("twin,suply=rigol-dp800", "no option 'suply' of a twin; did you mean 'supply'?"),
        ("twin,supply", "KEY=VALUE"),
        ("twin,", "KEY=VALUE"),
        ("twin,supply=rigol-dp800,supply=rigol-dp800", "'supply' is said twice"),
        ("twim,supply=rigol-dp800", "no bench 'twim'; did you mean 'twin'?"),
        ("mine.toml,supply=rigol-dp800", "no bench 'mine.toml'"),
    ],
)
def test_a_wrong_choice_is_one_line_that_says_what_is_known(asked: str, told: str) -> None:
    line = refused(asked)
    assert told in line
    assert "\n" not in line
