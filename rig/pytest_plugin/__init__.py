"""The pytest plugin: HIL regression on the twin in CI, and on a bench at night. Silent where nobody uses it.

Importing it costs pytest nothing but this file: everything of the rig is loaded by the first fixture that is used. Bad
input is pytest's usage error, a failure in one line, or a skip with its reason; never an internal error.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from rig.clock import Clock
    from rig.guardian.port import Guardian
    from rig.instruments.ports import Oscilloscope, SenseLines, Supply
    from rig.meters.port import Meter
    from rig.pytest_plugin.at_test import BenchAtTest
    from rig.pytest_plugin.held import HeldBench
    from rig.pytest_plugin.house import House

HOUSE = "_rig_house"
BENCH_NAME, _IMAGE = "_rig_bench_name", "_rig_firmware"
"""Fixtures behind `bench` and `firmware`: a project that has own ones of those names never meets these."""
_AT_TEST = pytest.StashKey["BenchAtTest"]()
_MARKS = (
    "rig(needs=[...], variant=...): what the bench must have; another bench skips",
    "soak(cycles=N): one test, that many times over",
    "hardware: never on the twin",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rig", "ichis-rig: activation tests on a bench or its twin")
    add = group.addoption
    add("--rig-bench", action="append", metavar="NAME|FILE", help="bench by name, or a bench file (default: twin)")
    add("--rig-firmware", metavar="DIR", help="a folder of firmware fixtures (default: the packaged ones)")
    add("--rig-out", metavar="DIR", help="where the evidence goes (default: runs)")
    add("--rig-controls", choices=("auto", "always", "never"), help="when the controls are made (default: auto)")
    parser.addini("rig_bench", "benches, as --rig-bench", type="linelist")
    parser.addini("rig_firmware", "folder of firmware fixtures, as --rig-firmware")
    parser.addini("rig_out", "where the evidence goes, as --rig-out")
    parser.addini("rig_controls", "when the controls are made, as --rig-controls")


def pytest_configure(config: pytest.Config) -> None:
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)
    if config.getoption("--rig-bench") or config.getini("rig_bench"):
        _house(config)  # a bench file with errors is told once, before any test


def pytest_unconfigure(config: pytest.Config) -> None:
    house: House | None = getattr(config, HOUSE, None)
    if house is not None:
        house.close()


def _house(config: pytest.Config) -> House:
    """The benches and the firmware of this run of pytest; made when first needed. Raises UsageError."""
    house: House | None = getattr(config, HOUSE, None)
    if house is None:
        from rig.errors import RigError
        from rig.pytest_plugin.house import House

        try:
            house = House.of(config)
        except RigError as error:
            raise pytest.UsageError(error.one_line()) from None
        setattr(config, HOUSE, house)
    return house


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if BENCH_NAME in metafunc.fixturenames:
        names = _house(metafunc.config).names
        if len(names) > 1:
            metafunc.parametrize(BENCH_NAME, names, indirect=True, scope="session")
    if _IMAGE in metafunc.fixturenames:
        from rig.errors import RigError

        try:
            rows = _house(metafunc.config).fixtures()
        except RigError as error:
            raise pytest.UsageError(error.one_line()) from None
        metafunc.parametrize(_IMAGE, rows, ids=[Path(row).name for row in rows], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers("rig"):
            from rig.pytest_plugin.needs import check_mark

            check_mark(mark, item.nodeid)
        soak = item.get_closest_marker("soak")
        if soak is not None and not _cycles(soak):
            raise pytest.UsageError(f"{item.nodeid}: soak wants cycles=N, a whole number from 1 on")


def _bench_of(config: pytest.Config, item: pytest.Item) -> str:
    spec = getattr(item, "callspec", None)
    return (
        str(spec.params.get(BENCH_NAME)) if spec is not None and BENCH_NAME in spec.params else _house(config).names[0]
    )


def _cycles(mark: pytest.Mark) -> int:
    cycles = mark.kwargs.get("cycles", mark.args[0] if mark.args else None)
    known = len(mark.args) + len(mark.kwargs) == 1
    return cycles if known and isinstance(cycles, int) and cycles >= 1 else 0


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("hardware") and _held(item.config, item).is_twin:
        pytest.skip("this test is for hardware; the bench is the twin")
    for mark in item.iter_markers("rig"):
        from rig.pytest_plugin.needs import missing

        held = _held(item.config, item)
        why = missing(mark, held.config)
        if why is not None:
            pytest.skip(f"bench '{held.name}' {why}")


def _held(config: pytest.Config, item: pytest.Item) -> HeldBench:
    return _house(config).held(_bench_of(config, item))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """A soak: the test is called again and again, and every call is a cycle with a bench made ready anew."""
    mark = pyfuncitem.get_closest_marker("soak")
    if mark is None:
        return None
    given: dict[str, Any] = pyfuncitem.funcargs
    wanted = {name: given[name] for name in inspect.signature(pyfuncitem.obj).parameters if name in given}
    bench = pyfuncitem.stash.get(_AT_TEST, None)
    cycles = _cycles(mark)
    for cycle in range(1, cycles + 1):
        if bench is not None and cycle > 1:
            bench.again()
        try:
            pyfuncitem.obj(**wanted)
        except Exception as error:
            error.add_note(f"soak: cycle {cycle} of {cycles}")
            raise
    return True


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """`record.longest_outage < seconds(60)` explains itself."""
    if type(right).__name__ != "Seconds":
        return None
    from rig.records.bounds import explain

    return explain(op, left, right)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    bench = item.stash.get(_AT_TEST, None)
    if call.when == "call" and bench is not None and report.failed:
        bench.forgotten = None  # the test failed, by this or by something else
    if call.when == "call" and bench is not None and bench.runs:
        from rig.pytest_plugin.pictures import attach

        attach(item.config, report, bench.runs)
    return report


# -- fixtures ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _rig_bench_name(request: pytest.FixtureRequest) -> str:
    """The bench of this test, where several were asked for."""
    name: str = getattr(request, "param", None) or _house(request.config).names[0]
    return name


@pytest.fixture
def bench(request: pytest.FixtureRequest, _rig_bench_name: str) -> Iterator[BenchAtTest]:
    """The bench: locked and guarded for the session, safe at the end of each test. The twin is made anew for each."""
    from rig.errors import RigError
    from rig.pytest_plugin.at_test import BenchAtTest

    house = _house(request.config)
    held = house.held(_rig_bench_name)
    if held.unsafe is not None:
        pytest.skip(f"bench '{held.name}' is not used again: {held.unsafe}")
    properties: list[tuple[str, Any]] = request.node.user_properties
    handed = BenchAtTest(held, house.choices, lambda name, value: properties.append((name, value)))
    request.node.stash[_AT_TEST] = handed
    yield handed
    try:
        unproven = handed.end()
    except RigError as error:
        pytest.fail(error.one_line(), pytrace=False)
    if unproven:
        pytest.fail(f"bench '{held.name}' could not be proven safe: {'; '.join(unproven)}", pytrace=False)
    if handed.forgotten is not None:
        pytest.fail(handed.forgotten, pytrace=False)


@pytest.fixture
def rig(bench: BenchAtTest) -> BenchAtTest:
    """`rig.activate(fixture)`: one activation test, end to end; fails the test unless its verdict is as expected."""
    return bench


@pytest.fixture
def rail(bench: BenchAtTest) -> BenchAtTest:
    """`with rail.watch() as seen: …`, then `seen.longest_outage`."""
    return bench


@pytest.fixture
def _rig_firmware(request: pytest.FixtureRequest) -> str:
    """The firmware fixture of this test."""
    name: str = request.param
    return name


@pytest.fixture
def firmware(_rig_firmware: str) -> str:
    """Each firmware fixture in turn: the packaged ones, or those of `--rig-firmware`."""
    return _rig_firmware


@pytest.fixture
def supply(bench: BenchAtTest) -> Supply:
    """The bench supply, its limits set and read back, its output off."""
    return bench.supply


@pytest.fixture
def oscilloscope(bench: BenchAtTest) -> Oscilloscope:
    """The oscilloscope."""
    return bench.oscilloscope


@pytest.fixture
def relays(bench: BenchAtTest) -> Guardian:
    """The relays, by role, behind their interlocks."""
    return bench.relays


@pytest.fixture
def sense(bench: BenchAtTest) -> SenseLines:
    """The sense lines."""
    return bench.sense


@pytest.fixture
def meter(bench: BenchAtTest) -> Meter:
    """The meter."""
    return bench.meter


@pytest.fixture
def clock(bench: BenchAtTest) -> Clock:
    """The bench's clock: virtual on the twin, so that tests wait by it."""
    return bench.clock
