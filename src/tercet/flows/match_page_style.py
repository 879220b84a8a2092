"""The style sheet of the match page: the report's, and what two sides need."""

from __future__ import annotations

from tercet.flows.report_style import STYLE

MATCH_STYLE = (
    STYLE
    + """
:root { --mark: #ffe08a; --mark-ink: #1b1500; --outline: #ffb000; --wave: #2f5d8c;
  --found: #ffc94d; --certain: #ad3226; --likely: #8a5a00; --possible: #545c64; }
@media (prefers-color-scheme: dark) {
  :root { --mark: #6b5200; --mark-ink: #fff6da; --wave: #8ec0f5; --found: #6b5200;
    --certain: #f08479; --likely: #e0b240; --possible: #a9b1b9; }
}
main { max-width: 76rem; }
article { border-top: 1px solid var(--line); margin: 1.5rem 0 0; padding: 1rem 0 .5rem; }
article h3 { margin: 0 0 .25rem; font-size: 1.15rem; overflow-wrap: anywhere; }
.band { display: inline-block; font-size: .85rem; font-weight: 600; padding: .05rem .5rem;
  border: 2px solid; border-radius: .2rem; margin-right: .5rem; vertical-align: .1em; }
.band.certain { color: var(--certain); }
.band.likely { color: var(--likely); border-style: dashed; }
.band.possible { color: var(--possible); border-style: dotted; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem 1.5rem; margin: .75rem 0;
  align-items: start; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: .9rem; color: var(--soft); margin-bottom: .3rem; }
figcaption b { color: var(--ink); }
svg.picture { width: 100%; height: auto; max-height: 34rem; background: var(--panel); }
svg polygon { fill: none; stroke-linejoin: round; }
svg polygon.under { stroke: #000; stroke-opacity: .75; }
svg polygon.over { stroke: var(--outline); }
svg circle.corner { fill: var(--outline); stroke: #000; stroke-opacity: .75; }
svg.strip { width: 100%; height: 5.5rem; background: var(--panel); }
svg.bar-of-time { height: 1.75rem; }
svg rect.line { fill: var(--line); stroke: none; }
svg rect.found { fill: var(--found); stroke: var(--ink); stroke-width: 1px; }
svg path.wave { stroke: var(--wave); stroke-width: 1.4; fill: none; }
blockquote { margin: 0; padding: .75rem 1rem; background: var(--panel); max-width: none;
  line-height: 1.6; overflow-wrap: anywhere; }
.around { color: var(--soft); }
mark { background: var(--mark); color: var(--mark-ink); padding: .05em 0; }
.missing { background: var(--panel); color: var(--soft); padding: 1.5rem 1rem; margin: 0; }
.standing { font-weight: 600; }
@media (max-width: 40rem) { .sides { gap: .75rem; } figcaption { font-size: .8rem; } }
@media print {
  :root { --mark: #fff; --mark-ink: #000; --outline: #ffb000; --wave: #000; --found: #ddd;
    --certain: #000; --likely: #000; --possible: #000; }
  main { max-width: none; }
  mark { border-bottom: 1.5pt solid #000; }
  .sides, article h3 { break-inside: avoid; break-after: auto; }
  svg.picture { max-height: 90mm; }
  .bar-of-time, polygon, .band { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
)
