"""The parts that every page is built of: the page itself, sections, tables, and numbers in their cells. Pure.

Texts are escaped here and nowhere else; only `Html` is taken as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rig.records.report_draw import esc
from rig.records.report_style import STYLE
from rig.records.report_words import DASH, at_least, at_most, nearest

MARKS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "ERROR": "!"}


class Html(str):
    """A piece of a page whose texts were escaped when it was made."""

    __slots__ = ()


def link(to: str, words: str) -> Html:
    return Html(f'<a href="{esc(to)}">{esc(words)}</a>')


def whole(words: str) -> Html:
    """Words that no line break parts."""
    return Html(f'<span class="whole">{esc(words)}</span>')


def page(title: str, parts: Sequence[str]) -> str:
    """The whole file. Empty parts are left out."""
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{esc(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )


def _shown(text: str) -> str:
    return text if isinstance(text, Html) else esc(text)


@dataclass(frozen=True)
class Column:
    title: str
    number: bool = False

    def cell(self, text: str) -> str:
        return f'<td class="num">{_shown(text)}</td>' if self.number else f"<td>{_shown(text)}</td>"


def columns_of(titles: str, numbers: str = "") -> tuple[Column, ...]:
    """From titles separated by `|`; those in `numbers` are set as numbers."""
    return tuple(Column(t, t in numbers.split("|")) for t in titles.split("|"))


def rows_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], bad: Sequence[bool] = ()) -> str:
    head = "".join(f'<th scope="col"{" class=num" if c.number else ""}>{esc(c.title)}</th>' for c in columns)
    lines = []
    for index, row in enumerate(rows):
        mark = ' class="bad"' if index < len(bad) and bad[index] else ""
        lines.append(f"<tr{mark}>{''.join(c.cell(t) for c, t in zip(columns, row, strict=True))}</tr>")
    return (
        f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + "\n</tbody></table></div>"
    )


def facts_table(rows: Sequence[tuple[str, str]]) -> str:
    lines = "\n".join(f'<tr><th scope="row">{esc(k)}</th><td>{_shown(v)}</td></tr>' for k, v in rows)
    return f'<div class="scroll facts"><table><tbody>\n{lines}\n</tbody></table></div>'


def section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{esc(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def pairs_section(title: str, values: Mapping[str, Any]) -> str:
    return section(title, facts_table(list(_flat(values)))) if values else ""


def _flat(values: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{under}{key}.")
        else:
            yield f"{under}{key}", _plain_value(value)


def _plain_value(value: Any) -> str:
    if value is None:
        return "unknown"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def lines_of(texts: Sequence[str]) -> Html:
    """A line for each text, in one cell."""
    return Html("<br>".join(esc(text) for text in texts))


def or_dash(value: str | None) -> str:
    return DASH if value is None else value


def seconds(value: float | None) -> str:
    return DASH if value is None else f"{nearest(value)} s"


def lower(value: float | None) -> str:
    return DASH if value is None else f"{at_least(value)} s"


def upper(value: float | None) -> str:
    return "no bound" if value is None else f"{at_most(value)} s"


def yes(value: bool) -> str:
    return "yes" if value else "NO"
