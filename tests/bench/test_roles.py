"""Which relays and sense lines a bench has, by its topology and its meter; and what its circuit must do."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rig.bench.circuit import discharge_s
from rig.bench.config import BenchConfig, load_bench
from rig.bench.roles import mains_roles
from rig.errors import InputError
from tests.wiring.files import WIRING, copy_of, spoil


def bench(name: str) -> BenchConfig:
    return load_bench(WIRING / f"{name}.toml")


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("single-phase", ("mains",)),
        ("twin-element", ("mains", "mains_l2")),
        ("polyphase", ("mains", "mains_l2", "mains_l3")),
        ("gas-hot-shoe", ()),
    ],
)
def test_there_is_a_detector_for_each_live_terminal(name: str, roles: tuple[str, ...]) -> None:
    config = bench(name)
    assert mains_roles(config) == roles
    assert tuple(s.role for s in config.sense if s.role.startswith("mains")) == roles


MAINS_L2 = (
    '[[sense]]\nname = "mains_l2"           # the second element\nrole = "mains_l2"\ndriver = "gpiod"\nline = 19\n'
)
CURRENT = '[[sense]]\nname = "current"            # optional'


@pytest.mark.parametrize(
    ("name", "old", "new", "key", "message", "found", "expected"),
    [
        (
            "polyphase",
            'role = "mains_l3"',
            'role = "estop"',
            "sense",
            "exactly one sense has the role 'mains_l3' at a",
            "0",
            "1",
        ),
        ("twin-element", MAINS_L2, f"{MAINS_L2}active = 1\n", "sense[3].active", "not allowed", "1", "'high' or 'low'"),
        (
            "twin-element",
            'variant = "twin-element"',
            'variant = "single-phase"',
            "sense",
            "no sense has the role 'mains_l2'",
            "1",
            "0",
        ),
        (
            "single-phase",
            'variant = "single-phase"',
            'variant = "polyphase"',
            "sense",
            "'mains_l2' at a polyphase meter",
            "0",
            "1",
        ),
        (
            "single-phase",
            'variant = "single-phase"',
            'variant = "gas"',
            "topology.kind",
            "does not feed the hub",
            "ichis",
            "hot-shoe",
        ),
        (
            "single-phase",
            'kind = "ichis"',
            'kind = "hot-shoe"',
            "relay",
            "no relay has the role 'meter-feed'",
            "1",
            "0",
        ),
        (
            "gas-hot-shoe",
            'kind = "hot-shoe"',
            'kind = "ichis"',
            "topology.kind",
            "does not feed the hub",
            "ichis",
            "hot-shoe",
        ),
        (
            "gas-hot-shoe",
            'role = "supply-feed"',
            'role = "mains"',
            "relay",
            "exactly one relay has the role 'supply-feed'",
            "0",
            "1",
        ),
        (
            "gas-hot-shoe",
            'safe = "open"',
            'safe = "as-is"',
            "relay[0].safe",
            "a feed of the hub is safe when open",
            "as-is",
            "open",
        ),
        (
            "single-phase",
            'role = "estop"',
            'role = "current"',
            "sense",
            "at most one sense has the role 'current'",
            "2",
            "0 or 1",
        ),
        # the circuit
        (
            "single-phase",
            "ohm = 470.0",
            "ohm = 4700.0",
            "load",
            "does not pull an unfed rail down in time",
            "3.85 s",
            "2 s",
        ),
        ("single-phase", "watts = 3.0", "watts = 0.25", "load.watts", "would burn", "0.25 W", "at least 0.439 W"),
        (
            "single-phase",
            "band_a = [0.006, 0.014]",
            "",
            "sense[6].band_a",
            "current needs its switching band",
            "nothing",
            "amperes",
        ),
        (
            "single-phase",
            "[0.006, 0.014]",
            "[0.014, 0.006]",
            "sense[6].band_a",
            "lowest to its highest",
            "0.014 to",
            "lowest",
        ),
        (
            "single-phase",
            "[0.006, 0.014]",
            "[0.006, 0.03]",
            "sense[6].band_a",
            "a fed rail does not leave this",
            "0.03 A",
            "0.02026 A",
        ),
        (
            "single-phase",
            "line = 21\n",
            "band_a = [1.0, 2.0]\nline = 21\n",
            "sense[7].band_a",
            "has a band of amperes",
            "estop",
            "current",
        ),
    ],
)
def test_what_a_bench_of_its_kind_has_not_is_told(
    name: str, old: str, new: str, key: str, message: str, found: str, expected: str, tmp_path: Path
) -> None:
    pair = copy_of(name, tmp_path)
    spoil(pair.bench, (old, new))
    with pytest.raises(InputError) as caught:
        load_bench(pair.bench)
    where = caught.value.where
    assert where.key == key
    assert message in caught.value.message
    assert found in (where.found or "")
    assert expected in (where.expected or "")


def test_a_hot_shoe_may_have_a_mains_contactor_for_a_meter_that_does_not_feed_the_hub(tmp_path: Path) -> None:
    pair = copy_of("gas-hot-shoe", tmp_path)
    mains = '[[relay]]\nname = "K1"\nrole = "mains"\ndriver = "rpi-gpio"\npin = 17\nsafe = "as-is"\n\n'
    spoil(pair.bench, ('[[relay]]\nname = "K3"', f'{mains}[[relay]]\nname = "K3"'), ('"gas"', '"single-phase"'))
    assert {r.role for r in load_bench(pair.bench).relay} == {"mains", "supply-feed"}


def test_the_rail_falls_as_a_capacitor_discharges() -> None:
    """470 ohm x 1.05 x 1 mF x ln(12 / 5.5)."""
    assert discharge_s(bench("single-phase")) == pytest.approx(0.38502, rel=1e-4)


def test_no_load_pulls_a_rail_to_nothing() -> None:
    config = bench("single-phase")
    topology = config.topology.model_copy(update={"safe_v": 0.0})
    assert discharge_s(config.model_copy(update={"topology": topology})) == math.inf


def test_without_a_load_nothing_is_said_of_the_fall() -> None:
    config = bench("single-phase").model_copy(update={"load": None})
    assert discharge_s(config) is None


def test_the_twins_bench_file_states_the_load_that_its_model_has() -> None:
    from rig.twin.rack import draft
    from rig.twin.rail_model import RailConstants

    load, model = draft("twin")[0].load, RailConstants()
    assert load is not None
    assert (load.ohm, load.capacitance_f) == (model.min_load_ohm, model.capacitance_f)
