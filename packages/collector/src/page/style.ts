/** The style sheet of the pages: dark and light by the reader's preference, from a phone's width on. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fbfbfa; --card: #fff; --ink: #1d2024; --quiet: #5d656e; --line: #dfe2e5; --link: #0b57b0; --code: #f2f3f4;
  --alarm: #b3261e; --alarm-paper: #fbe9e7; --warning: #7a4d00; --warning-paper: #fdf0d5; --relief: #1b6433; --relief-paper: #e2f3e6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --card: #1c2024; --ink: #e6e8ea; --quiet: #9aa4ae; --line: #30363c; --link: #7db5ff; --code: #23282d;
    --alarm: #ffb4ab; --alarm-paper: #4a1d1a; --warning: #ffcf70; --warning-paper: #43320e; --relief: #8fdca2; --relief-paper: #17391f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, .stack { font: 13px/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.top { border-bottom: 1px solid var(--line); padding: .6rem max(1rem, calc(50% - 31rem)); }
.brand { color: var(--ink); font-weight: 700; text-decoration: none; letter-spacing: .01em; }
main { max-width: 64rem; margin: 0 auto; }
main { padding: 1rem; }
h1 { font-size: 1.3rem; line-height: 1.4; margin: .5rem 0; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
p { margin: .25rem 0; }
.quiet, .facts, .since, figcaption, dt { color: var(--quiet); }
.quiet, .facts { font-size: .875rem; }
.since { font-weight: 400; }
.facts > span:not(:last-child)::after { content: " ·"; }
.facts b { color: var(--ink); font-weight: 600; }
.badge { display: inline-block; border-radius: .3rem; padding: 0 .45rem; margin-right: .3rem; font-size: .75rem; line-height: 1.5rem; font-weight: 700; vertical-align: .1em; white-space: nowrap; }
.alarm { color: var(--alarm); background: var(--alarm-paper); }
.warning { color: var(--warning); background: var(--warning-paper); }
.relief { color: var(--relief); background: var(--relief-paper); }
.dumps { list-style: none; margin: 1rem 0; padding: 0; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); overflow: hidden; }
.dumps > li + li { border-top: 1px solid var(--line); }
.dumps a { display: block; padding: .7rem 1rem; color: inherit; text-decoration: none; }
.dumps a:hover { background: var(--code); }
.dumps a:focus-visible { outline-offset: -2px; }
.sentence, .dumps .facts { display: block; }
.sentence { font-weight: 500; }
.dumps .facts { margin-top: .15rem; }
.pages a, .links a { margin-right: 1rem; }
.empty { padding: 2.5rem 1rem; text-align: center; border: 1px dashed var(--line); border-radius: .5rem; }
.request { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--alarm); border-radius: .5rem; padding: .8rem 1rem; margin: .75rem 0; }
.wait { color: var(--warning); }
.stack { margin: .75rem 0 0; background: var(--code); border-radius: .4rem; padding: .5rem .75rem; }
.stack figcaption { font-family: system-ui, sans-serif; font-size: .8rem; }
.stack ol { list-style: none; margin: 0; padding: 0; }
.stack li { padding-left: 1.5rem; text-indent: -1.5rem; }
.stack .app code { font-weight: 600; }
.stack .other { color: var(--quiet); }
.stack details { text-indent: 0; margin-left: -1.5rem; }
.stack summary { cursor: pointer; }
.stack details ol { padding-left: 1.5rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .875rem; overflow-wrap: normal; }
th, td { text-align: left; padding: .4rem .75rem; white-space: nowrap; }
th { color: var(--quiet); font-weight: 600; }
tbody tr { border-top: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.stuck td:first-child { color: var(--alarm); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; font-size: .9rem; }
dd { margin: 0; }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } h1 { font-size: 1.1rem; } }
`;
