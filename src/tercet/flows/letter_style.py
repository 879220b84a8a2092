"""The style sheet of a letter's page: light and dark, phone to desk, and paper."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --panel: #f3f3ee; --ink: #1b2025; --soft: #545c64; --line: #c9cac1;
  --edge: #767d84; --link: #14528f; --act: #14528f; --on: #ffffff; --warn: #a3261b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --panel: #1d2328; --ink: #e8eaec; --soft: #a9b1b9; --line: #3b434b;
    --edge: #8b949d; --link: #8ec0f5; --act: #8ec0f5; --on: #0b0e11; --warn: #ff9d92;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 Charter, "Bitstream Charter", Cambria, "Noto Serif", "DejaVu Serif", serif;
}
main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header, .text, .note { max-width: 40rem; }
.kind, .by, .note, .soft, .figures, table, .names small, dl, form, .message {
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
.kind { margin: 2.5rem 0 0; color: var(--soft); font-size: .95rem; letter-spacing: .02em; }
h1 { font-size: clamp(1.7rem, 1.2rem + 2.4vw, 2.6rem); line-height: 1.18; margin: .25rem 0 .5rem;
  text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 3rem 0 .75rem; }
.by { color: var(--soft); margin: 0 0 2rem; }
.text p { margin: 0 0 1.1em; white-space: pre-line; overflow-wrap: anywhere; }
.figures { list-style: none; margin: 2rem 0 0; padding: 1rem 0 0; border-top: 3px solid var(--ink);
  max-width: 40rem; }
.figures li { color: var(--soft); margin: .15rem 0; }
.figures li.total { color: var(--ink); font-size: 1.5rem; line-height: 1.3; font-weight: 600; }
.soft, .note { color: var(--soft); font-size: .95rem; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr));
  gap: 0 2.5rem; align-items: start; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
caption { text-align: left; font: 600 1.35rem/1.3 Charter, "Bitstream Charter", Cambria,
  "Noto Serif", "DejaVu Serif", serif; margin: 3rem 0 .75rem; }
th, td { text-align: left; font-weight: 400; padding: .4rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
thead th { color: var(--soft); border-bottom: 2px solid var(--line); }
th:last-child, td:last-child { text-align: right; padding-left: 1rem; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.rest > * { color: var(--soft); }
.names { list-style: none; margin: 0; padding: 0; columns: 15rem; column-gap: 2.5rem; }
.names li { break-inside: avoid; padding: .3rem 0; overflow-wrap: anywhere; line-height: 1.35; }
.names small { display: block; color: var(--soft); font-size: .85rem; }
dl { margin: 0; max-width: 46rem; }
dt { color: var(--soft); font-size: .95rem; margin-top: .6rem; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .88em/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem;
  padding-bottom: 3rem; color: var(--soft); font-size: .95rem; }
form { max-width: 34rem; margin: 0; }
form p { margin: 0 0 1.1rem; }
fieldset { border: 0; margin: 0 0 1.1rem; padding: 0; min-width: 0; }
label, legend { display: block; font-weight: 600; padding: 0; margin-bottom: .3rem; }
.hint { display: block; margin-top: .3rem; color: var(--soft); font-weight: 400; font-size: .9rem; }
input[type=text], input[type=email], select {
  width: 100%; min-height: 2.9rem; padding: .5rem .7rem; font: inherit; color: inherit;
  background: var(--paper); border: 1px solid var(--edge); border-radius: .25rem;
}
.choice { display: grid; grid-template-columns: 1.6rem 1fr; align-items: start; font-weight: 400;
  padding: .45rem 0; margin: 0; }
.choice input { width: 1.25rem; height: 1.25rem; margin: .15rem 0 0; accent-color: var(--act); }
button { font: inherit; font-weight: 600; min-height: 2.9rem; padding: .5rem 1.4rem;
  cursor: pointer; color: var(--on); background: var(--act); border: 1px solid transparent;
  border-radius: .25rem; }
.message { border-left: .4rem solid var(--act); background: var(--panel); padding: .8rem 1rem;
  margin: 1.5rem 0; max-width: 40rem; }
.message.wrong { border-color: var(--warn); }
.message p { margin: 0; }
@media (max-width: 36rem) { main, footer { padding: 0 1rem; } .kind { margin-top: 1.5rem; } }
@media (forced-colors: active) { button { border-color: ButtonText; } }
@page { margin: 18mm 16mm; }
@media print {
  :root { color-scheme: light; --paper: #fff; --panel: #fff; --ink: #000; --soft: #444;
    --line: #bbb; --edge: #777; --link: #000; }
  body { font-size: 10.5pt; }
  main, footer { max-width: none; padding: 0; }
  .kind { margin-top: 0; }
  .names { columns: 3; column-gap: 8mm; font-size: 9pt; }
  .names li { padding: .8mm 0; }
  .names small { font-size: 7.5pt; }
  h2, caption { break-after: avoid; }
  tr { break-inside: avoid; }
  form, .only-screen { display: none; }
  a { text-decoration: none; }
}
"""
