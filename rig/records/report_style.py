"""How the report looks on a screen and on paper. Light only; no font, picture or script from anywhere else."""

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #222; font: 15px/1.5 "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 22px; font-weight: 600; margin: 0; }
h2 { font-size: 18px; margin: 38px 0 8px; padding-bottom: 4px; border-bottom: 1px solid #ccc; }
h3 { font-size: 15px; margin: 20px 0 4px; }
p { margin: 6px 0; max-width: 78em; }
.sub, .note { color: #555; }
.note { font-size: 13.5px; }
.verdict { margin: 18px 0 10px; padding: 18px 22px; border: 1px solid; border-left-width: 14px; border-radius: 4px; }
.verdict .word { font-size: 34px; line-height: 1.15; font-weight: 700; letter-spacing: .01em; }
.verdict .sentence { font-size: 19px; line-height: 1.4; margin-top: 4px; max-width: none; }
.verdict .mark { display: inline-block; width: 1.15em; }
.pass { border-color: #00775a; background: #eaf6f1; } .pass .word { color: #00664d; }
.fail { border-color: #b84300; background: #fdf0e8; } .fail .word { color: #a03a00; }
.inconclusive { border-color: #8a6d00; background: #fbf6e3; } .inconclusive .word { color: #6e5700; }
.error { border-color: #222; background: #efefef; } .error .word { color: #222; }
ul.reasons { margin: 12px 0 0; padding-left: 20px; } ul.reasons li { margin: 4px 0; }
code { font: 13px "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
pre { background: #f6f6f6; border: 1px solid #ddd; padding: 10px 14px; overflow-x: auto; }
ul.reasons code { background: #fff; border: 1px solid #ccc; border-radius: 3px; padding: 1px 5px; margin-right: 6px; }
figure { margin: 10px 0 18px; break-inside: avoid; }
figcaption { font-size: 13.5px; color: #444; margin-bottom: 2px; }
svg { display: block; width: 100%; height: auto; font-size: 12.5px; font-family: inherit; }
svg .small { font-size: 11.5px; } svg .axis { fill: #444; } svg .number { font-size: 11.5px; font-weight: 700; }
svg .halo { paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 8px 0 4px; font-size: 14px; break-inside: avoid; }
th, td { text-align: left; vertical-align: top; padding: 4px 18px 4px 0; border-bottom: 1px solid #e4e4e4; }
thead th { color: #444; font-weight: 600; border-bottom: 1.5px solid #888; white-space: nowrap; }
tbody th { font-weight: 500; color: #444; white-space: nowrap; }
td { overflow-wrap: anywhere; }
.whole { white-space: nowrap; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.bad td, tr.bad th { background: #fdf0e8; }
footer { margin-top: 44px; padding-top: 10px; border-top: 1px solid #ccc; color: #555; font-size: 13.5px; }
@media screen and (max-width: 700px) {
  main { padding: 20px 14px 40px; }
  .facts table, .facts tbody, .facts tr, .facts th, .facts td { display: block; }
  .facts th { border: 0; padding-bottom: 0; white-space: normal; } .facts td { padding-top: 0; }
  .verdict { padding: 14px 16px; border-left-width: 8px; } .verdict .word { font-size: 26px; }
  figure { overflow-x: auto; } svg { min-width: 860px; } svg.gauge { min-width: 0; font-size: 22px; }
}
@page { margin: 14mm; }
@media print {
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
}
"""
