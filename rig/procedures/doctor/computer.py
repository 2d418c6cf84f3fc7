"""The computer under the bench: free disk for the evidence, processor speed, power. Reads only."""

from __future__ import annotations

from pathlib import Path

from rig.procedures.doctor.machine import COMMAND_S, Machine
from rig.records.doctor import Check, Desk

_DESK = Desk("computer")
_GB = 1e9
_RUNS = 10
"""Room for fewer runs than this is worth a warning."""

_UNDER_VOLTAGE = 0
_BITS = {0: "under-voltage", 1: "processor frequency capped", 2: "throttled", 3: "soft temperature limit"}
"""`vcgencmd get_throttled`: bits 0 to 3 are now, 16 to 19 are since boot (Raspberry Pi documentation, vcgencmd)."""

_POWER_TO_DO = (
    "use the supply that this Raspberry Pi's maker names, on a short cable, and move USB devices to a powered hub"
)


def disk(machine: Machine, out: Path, need_mb: float) -> Check:
    """Room at `out`, or where it would be made. Nothing is written."""
    what, need = "free disk", need_mb * 1e6
    place = next((p for p in (out, *out.absolute().parents) if p.exists()), Path("/"))
    if not place.is_dir():
        return _DESK.failed(what, f"{place} is a file", "name a folder with --out")
    if not machine.access(place):
        return _DESK.failed(what, f"{place} cannot be written", "name another folder with --out")
    free = machine.free_bytes(place)
    found = f"{free / _GB:.1f} GB at {out} ({need / _GB:.1f} GB for a run)"
    to_do = "delete or move old runs, or name another disk with --out"
    if free < need:
        return _DESK.failed(what, found, to_do)
    return _DESK.warning(what, found, to_do) if free < _RUNS * need else _DESK.ok(what, found)


def governor(machine: Machine) -> Check:
    """A processor that has to speed up first reads edges late (their stamps are the kernel's and stay right)."""
    what, pattern = "CPU governor", "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
    found = {machine.read(path) for path in machine.glob(pattern)} - {None}
    if not found:
        return _DESK.not_here(what, "this processor has none")
    words = ", ".join(sorted(str(word) for word in found))
    if found == {"performance"}:
        return _DESK.ok(what, words)
    return _DESK.warning(
        what, words, "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    )


def power(machine: Machine, needed: bool) -> Check:
    """Under-voltage and throttling of a Raspberry Pi, from its firmware or else from its voltage sensor."""
    what = "power"
    if not machine.is_pi():
        return _DESK.not_here(what, "no Raspberry Pi")
    ran = machine.run(("vcgencmd", "get_throttled"), COMMAND_S)
    word = ran.out.strip().removeprefix("throttled=")
    try:
        bits = int(word, 16) if ran.problem is None else None
    except ValueError:
        bits = None
    if bits is not None:
        return _bits(what, bits, needed)
    for path in machine.glob("/sys/class/hwmon/hwmon*/name"):
        if machine.read(path) == "rpi_volt":
            alarm = machine.read(path.removesuffix("name") + "in0_lcrit_alarm")
            if alarm == "1":
                return _DESK.bad(needed, what, "under-voltage now (voltage sensor)", _POWER_TO_DO)
            if alarm == "0":
                return _DESK.ok(what, "no under-voltage (voltage sensor; throttling is not known)")
    why = ran.problem or f"vcgencmd said {word!r}"
    return _DESK.warning(what, f"not known: {why}", "sudo apt install raspi-utils, and join the group video")


def _bits(what: str, bits: int, needed: bool) -> Check:
    now = [text for bit, text in _BITS.items() if bits >> bit & 1]
    since = [text for bit, text in _BITS.items() if bits >> (16 + bit) & 1 and text not in now]
    if not now and not since:
        return _DESK.ok(what, "no under-voltage, not throttled, since boot")
    found = "; ".join([f"{text} now" for text in now] + [f"{text} since boot" for text in since])
    to_do = _POWER_TO_DO if bits & 0x10001 else "cool it: heat sink, fan, or a cooler place"
    if bits >> _UNDER_VOLTAGE & 1:
        return _DESK.bad(needed, what, found, to_do)
    return _DESK.warning(what, found, to_do)
