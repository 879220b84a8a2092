"""The report's style sheet: light and dark, phone to desk, and paper."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --panel: #f3f3ee; --ink: #1b2025; --soft: #545c64; --line: #d3d4cc;
  --link: #14528f; --warn-paper: #fff2cc; --warn-line: #8a5a00; --on: #ffffff;
  --cleared: #17744a; --offered: #1f62a8; --blocked: #ad3226; --held: #6a6f76;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --panel: #1d2328; --ink: #e8eaec; --soft: #a9b1b9; --line: #3b434b;
    --link: #8ec0f5; --warn-paper: #3a2e0c; --warn-line: #e0b240; --on: #0b0e11;
    --cleared: #46bd82; --offered: #74b0ef; --blocked: #f08479; --held: #a5adb6;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main, footer { max-width: 64rem; margin: 0 auto; padding: 0 1.25rem; }
h1 { font-size: clamp(1.5rem, 1.1rem + 2vw, 2.25rem); line-height: 1.2; margin: 2rem 0 .25rem; }
h2 {
  font-size: 1.3rem; line-height: 1.3; margin: 2.75rem 0 .5rem; padding-top: .75rem;
  border-top: 2px solid var(--ink);
}
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
p, li { max-width: 46rem; }
.soft { color: var(--soft); margin-top: 0; }
.lead { font-size: 1.2rem; line-height: 1.45; margin: 1.25rem 0; }
a { color: var(--link); }
a:focus-visible, .frame:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
bdi, code, .hash { overflow-wrap: anywhere; }
code, pre, .hash { font: .9em/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { background: var(--panel); padding: .75rem 1rem; white-space: pre-wrap; margin: .5rem 0; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; }
nav a { display: inline-block; padding: .25rem 0; }
.assertion {
  background: var(--warn-paper); border: 2px solid var(--warn-line); border-left-width: .6rem;
  padding: .75rem 1.1rem; margin: 1.25rem 0;
}
.assertion h2 { border: 0; padding: 0; margin: 0 0 .25rem; font-size: 1.1rem; }
.assertion p { margin: 0; }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem;
  margin: 1.25rem 0 .75rem; padding: 0;
}
.tile { background: var(--panel); border-top: .4rem solid; padding: .6rem .9rem; }
.tile.cleared { border-color: var(--cleared); }
.tile.offered { border-color: var(--offered); }
.tile.blocked { border-color: var(--blocked); }
.tile.held { border-color: var(--held); border-top-style: double; }
.tile dt { font-weight: 600; }
.tile dd { margin: 0; }
.tile .count { font-size: 1.55rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile .soft { font-size: .9rem; }
svg { display: block; }
svg.wide { margin: .75rem 0 .4rem; }
svg rect { stroke: var(--paper); stroke-width: 2px; }
svg.bar { min-width: 6rem; background: var(--panel); }
svg.bar rect { stroke-width: 1px; }
svg text { fill: var(--on); font-weight: 600; font-size: .95rem; }
rect.cleared, rect.allow { fill: var(--cleared); }
rect.offered, rect.conditional { fill: var(--offered); }
rect.blocked, rect.deny { fill: var(--blocked); }
rect.held, rect.unreadable { fill: var(--held); }
.frame {
  overflow-x: auto; margin: .75rem 0;
  background:
    linear-gradient(to right, var(--paper) 40%, transparent) left / 2.5rem 100% local,
    linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100% local,
    linear-gradient(to right, var(--line), transparent) left / .8rem 100% scroll,
    linear-gradient(to left, var(--line), transparent) right / .8rem 100% scroll;
  background-repeat: no-repeat;
}
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
caption span { display: block; max-width: min(46rem, 100vw - 2.5rem); }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0; font-weight: 400; }
tr > :last-child { padding-right: 0; }
thead th { font-weight: 600; border-bottom: 2px solid var(--line); vertical-align: bottom; }
tbody > tr > * { border-bottom: 1px solid var(--line); }
time { white-space: nowrap; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.wide-text { min-width: 14rem; }
.graph { min-width: 7rem; width: 22%; }
.graph svg { margin-top: .4rem; }
.hash { font-size: .8rem; }
td.hash { min-width: 16rem; }
thead .hash { font: inherit; font-weight: 600; }
.name { min-width: 10rem; }
td > code { white-space: nowrap; }
.remedies li { margin: .4rem 0; }
.remedies b { font-variant-numeric: tabular-nums; }
dl.facts {
  display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.25rem;
}
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; padding-bottom: 2.5rem; }
@media (max-width: 36rem) {
  main, footer { padding: 0 .9rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .6rem; }
}
@page { margin: 16mm 14mm; }
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --panel: #f4f4f0; --ink: #000; --soft: #444; --line: #bbb; --link: #000;
    --warn-paper: #fff; --warn-line: #000; --on: #fff;
    --cleared: #17744a; --offered: #1f62a8; --blocked: #ad3226; --held: #6a6f76;
  }
  body { font-size: 10pt; }
  main, footer { max-width: none; padding: 0; }
  nav { display: none; }
  h1 { margin-top: 0; }
  h2, h3, caption { break-after: avoid; }
  tr, .tile, .assertion, li, svg.wide { break-inside: avoid; }
  thead { display: table-header-group; }
  .frame { overflow: visible; background: none; }
  .name, .wide-text, .graph, td.hash { min-width: 0; }
  td > code { font-size: 7.5pt; }
  table { font-size: 9pt; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  rect, .tile { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
