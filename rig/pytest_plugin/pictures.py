"""The rail's picture and the way to the evidence, in the reports of pytest-html and allure where they are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rig.pytest_plugin.outcomes import Activated

if TYPE_CHECKING:
    import pytest


def attach(config: pytest.Config, report: pytest.TestReport, runs: Sequence[Activated]) -> None:
    """Add them to the report of one test, once for each activation."""
    lines = []
    for run in runs:
        lines.append(f"{run.record.firmware.get('fixture')}: {run.verdict}, {run.longest_outage.words()}")
        lines.append(f"  rail  {run.strip()}")
        lines.append(f"  evidence: {run.folder / 'report.html'}")
    report.sections.append(("ichis-rig", "\n".join(lines)))
    html = config.pluginmanager.getplugin("html")
    if html is not None:
        _to_html(html, report, runs)
    if config.pluginmanager.hasplugin("allure_pytest"):
        _to_allure(runs)


def _to_html(html: Any, report: Any, runs: Sequence[Activated]) -> None:
    from rig.records.report_svg import standalone_svg

    extras = html.extras if hasattr(html, "extras") else _extras()
    if extras is None:
        return
    found = getattr(report, "extras", [])
    for run in runs:
        found.append(extras.html(f"<div>{standalone_svg(run.record, run.picture)}</div>"))
        found.append(extras.url((run.folder / "report.html").absolute().as_uri(), name="evidence"))
    report.extras = found


def _extras() -> Any:
    try:
        from pytest_html import extras
    except ImportError:
        return None
    return extras


def _to_allure(runs: Sequence[Activated]) -> None:
    import allure

    from rig.records.report_svg import standalone_svg

    for run in runs:
        svg = standalone_svg(run.record, run.picture)
        allure.attach(svg, name="rail", attachment_type=allure.attachment_type.SVG)
        allure.attach.file(str(run.folder / "report.html"), "evidence", allure.attachment_type.HTML)
