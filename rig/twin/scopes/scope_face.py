"""What the SCPI faces of all oscilloscopes in the twin share: settings that are words or steps, and the acquisition.

A model's face adds its commands. Volts and seconds are those of the front panel: volts at the probe's tip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from rig.twin.ports import RailProbe, Timeline
from rig.twin.scopes.acquisition import Acquiring, Acquisition, Coding, Imperfections, Record
from rig.twin.scpi import Call, ScpiError, ScpiFace

_ITEMS: dict[str, Callable[[npt.NDArray[np.float64]], np.float64]] = {
    "VMAX": np.max,
    "VMIN": np.min,
    "VPP": np.ptp,
    "VAV": np.mean,
    "VAVG": np.mean,
}
"""What programs ask to have measured, by its short form."""


@dataclass
class Channel:
    """What every model keeps of a channel: volts a division and at the centre, as at the probe's tip."""

    probe: float = 10.0
    scale: float = 1.0
    offset: float = 0.0

    def attenuate(self, ratio: float) -> None:
        """Another probe: what is on the screen stays there."""
        self.scale, self.offset = self.scale * ratio / self.probe, self.offset * ratio / self.probe
        self.probe = ratio


_C = TypeVar("_C", bound=Channel)


class TwinScope(ScpiFace, Generic[_C]):
    """An oscilloscope whose channel `channel` sees `probe`; the other inputs are open (0 V).

    Give `handle` to a `LineServer`. `stuck_state` (a value of `Acquiring`) makes it say the same for ever.
    """

    _LEAST_PROBE, _MOST_PROBE = 0.1, 10_000.0
    _set: object
    """What the front panel would show: a family's own fields."""

    def __init__(
        self,
        who: tuple[str, str, str, str],
        timeline: Timeline,
        probe: RailProbe,
        seed: int,
        noise_v: float,
        channel: int,
        imperfections: Imperfections | None,
    ) -> None:
        super().__init__(*who)
        self._channels: dict[int, _C] = {}
        self.stuck_state: str | None = None
        self._acquisition = Acquisition(timeline, probe, seed, noise_v, channel, imperfections)

    def _channel(self, call: Call) -> _C:
        """That of the command's suffix; -114 where there is none."""
        if call.suffixes[0] not in self._channels:
            raise ScpiError(-114, "Header suffix out of range")
        return self._channels[call.suffixes[0]]

    def _set_probe(self, call: Call) -> None:
        self._channel(call).attenuate(call.number(0, self._LEAST_PROBE, self._MOST_PROBE))

    def _shown(self) -> Acquiring:
        """The state that it says it is in."""
        return self._acquisition.state if self.stuck_state is None else Acquiring(self.stuck_state)

    def _on_word(self, header: str, of: Callable[[Call], object], field: str, *forms: str) -> None:
        """A setting that is one of these forms (a boolean where there are none), kept in `field` of `of(call)`."""
        self.on(
            header,
            set=lambda call: setattr(of(call), field, word(call, forms)),
            get=lambda call: str(getattr(of(call), field)),
        )

    def _add_word(self, header: str, field: str, *forms: str) -> None:
        """The same, kept in `field` of the front panel."""
        self._on_word(header, lambda _: self._set, field, *forms)

    def _keeps(self, header: str, value: str) -> None:
        """A setting that changes nothing here: it is kept, and told again."""
        kept = [value]
        self.on(header, set=lambda call: kept.__setitem__(0, call.word(0)), get=lambda _: kept[0])

    def _measured_on(self, screen: Record, coding: Coding, item: str, channel: int) -> float | None:
        """An item of what is on the screen of so many points, in volts; None where nothing is."""
        seen = self._acquisition.seen_last(screen)
        if seen is None:
            return None
        record = replace(seen, points=screen.points, coding=coding, peak=False)
        codes = self._acquisition.codes(record, 0, record.points, channel)
        return (float(_ITEMS[item](codes)) - (0.0 if item == "VPP" else coding.zero_code)) * coding.volts_per_code


def word(call: Call, forms: tuple[str, ...]) -> str:
    """One of the forms in short, or a boolean as 1 or 0 where there are none."""
    return call.choice(0, *forms) if forms else str(int(call.boolean(0)))


def nearest(call: Call, steps: tuple[float, ...], index: int = 0) -> float:
    """The step that was named; -222 for a value between two."""
    value = call.number(index, steps[0] * 0.999, steps[-1] * 1.001)
    best = min(steps, key=lambda step: abs(step - value))
    if abs(best - value) > 1e-6 * best:
        raise ScpiError(-222, "Data out of range")
    return best
