/** What the style sheets of pages with charts and a table have in common: follows the reader's light or dark preference. */
export const pageStyle = `
:root { color-scheme: light dark; --line: light-dark(#d7dce2, #3a414b); --soft: light-dark(#f5f7f9, #1d2127); --dim: light-dark(#57606a, #9aa4af); --bad: light-dark(#b3261e, #ff8a80); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; background: light-dark(#fff, #14171b); color: light-dark(#1b1f24, #e6e9ed); }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 48px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 16px; margin-bottom: 24px; }
figure { margin: 0; padding: 12px 14px; border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: 6px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { background: var(--soft); }
`;
