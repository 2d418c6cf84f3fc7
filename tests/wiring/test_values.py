"""Component values as a parts list writes them, and bands that no real component may leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.wiring.harness import Comparators, CurrentSensor, WatchdogPart
from rig.bench.wiring.values import Value, current_band, parse_value, rail_band, watchdog_band


@pytest.mark.parametrize(
    ("text", "unit", "nominal", "tolerance"),
    [
        ("255 kohm 0.2 %", "ohm", 255e3, 0.002),
        ("0.2 ohm 1 %", "ohm", 0.2, 0.01),
        ("470 Ω 5%", "ohm", 470.0, 0.05),
        ("1 Mohm", "ohm", 1e6, 0.0),
        ("2.2 uF 10 %", "F", 2.2e-6, 0.1),
        ("2.2 µF 10 %", "F", 2.2e-6, 0.1),
        ("400 mV", "V", 0.4, 0.0),
        ("25 nA", "A", 25e-9, 0.0),
        ("200 1 %", "", 200.0, 0.01),
        ("3 W", "W", 3.0, 0.0),
    ],
)
def test_a_value_is_read_as_it_is_written(text: str, unit: str, nominal: float, tolerance: float) -> None:
    value = parse_value(text, unit)
    assert value.nominal == pytest.approx(nominal, rel=1e-12)
    assert value.tolerance == pytest.approx(tolerance, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    ["255", "255 kF 1 %", "255 kohm ±1 %", "1e3 ohm", "-5 ohm", "255 Kohm", "", "255 kohm 1", 255, None, "٣ ohm"],
)
def test_what_is_no_value_is_told_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match=r"is no value like '255 kohm 0.2 %'"):
        parse_value(text, "ohm")


def comparators() -> Comparators:
    return Comparators.model_validate(
        {
            "kind": "comparators",
            "rail": 1,
            "common": 2,
            "falling": ["387 mV", "400 mV"],
            "rising": ["396 mV", "404 mV"],
            "bias": "25 nA",
            "outputs": {4: {"high": "above", "top": "255 kohm 0.2 %", "bottom": "10 kohm 0.2 %"}},
        }
    )


def test_a_rail_band_is_what_a_person_computes() -> None:
    """387 mV x (1 + 254.49 / 10.02) - 25 nA x 255.51 kohm, and 404 mV x (1 + 255.51 / 9.98) + the same."""
    band = rail_band(comparators(), comparators().outputs[4])
    assert band.low == pytest.approx(0.387 * (1 + 254.49 / 10.02) - 25e-9 * 255.51e3, rel=1e-9)
    assert band.high == pytest.approx(0.404 * (1 + 255.51 / 9.98) + 25e-9 * 255.51e3, rel=1e-9)


part = st.floats(-1, 1)


def within(value: Value, where: float) -> float:
    return value.nominal * (1 + where * value.tolerance)


@given(part, part, part, st.floats(0.387, 0.404))
def test_no_component_within_its_tolerance_leaves_the_rail_band(
    top: float, bottom: float, bias: float, at: float
) -> None:
    """Kirchhoff at the comparator's input: what comes through the top goes through the bottom and into the input."""
    circuit = comparators()
    divider = circuit.outputs[4]
    ohm_top, ohm_bottom = within(divider.top, top), within(divider.bottom, bottom)
    switches = at + ohm_top * (at / ohm_bottom + bias * circuit.bias.nominal)
    band = rail_band(circuit, divider)
    assert band.low - 1e-9 <= switches <= band.high + 1e-9


@given(part, part, part, st.floats(0.387, 0.404))
def test_no_component_within_its_tolerance_leaves_the_current_band(
    shunt: float, gain: float, offset: float, at: float
) -> None:
    sensor = CurrentSensor.model_validate(
        {
            "kind": "current-sensor",
            "through": [1, 2],
            "output": 5,
            "shunt": "0.2 ohm 1 %",
            "gain": "200 1 %",
            "offset": "0.5 mV",
            "falling": ["387 mV", "400 mV"],
            "rising": ["396 mV", "404 mV"],
        }
    )
    amperes = (at / within(sensor.gain, gain) - offset * sensor.offset.nominal) / within(sensor.shunt, shunt)
    band = current_band(sensor)
    assert band.low - 1e-12 <= amperes <= band.high + 1e-12


@given(part, part, st.floats(0.63, 0.77))
def test_no_component_within_its_tolerance_leaves_the_watchdogs_band(r: float, c: float, factor: float) -> None:
    circuit = WatchdogPart.model_validate(
        {
            "kind": "watchdog",
            "feed": 3,
            "output": 4,
            "resistor": "1 Mohm 1 %",
            "capacitor": "2.2 uF 10 %",
            "factor": [0.63, 0.77],
        }
    )
    seconds = factor * within(circuit.resistor, r) * within(circuit.capacitor, c)
    band = watchdog_band(circuit)
    assert band.low - 1e-9 <= seconds <= band.high + 1e-9
