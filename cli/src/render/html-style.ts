/** The one style sheet of every page: light and dark, readable at 360 px, printable. No url(), no import: the page loads nothing. */
export const pageStyle = `
:root{color-scheme:light dark;--bg:#f7f7f5;--card:#fff;--ink:#1c1c1a;--soft:#5f5f5a;--line:#deded8;--code:#f1f1ec;--high:#b3261e;--medium:#8a5a00;--low:#2b5fa8;--save:#17663a;--bar:#9db4d0;--crit:#d9622b;--fold:#c5cfdb;--link:#1a5fb4}
@media (prefers-color-scheme:dark){:root{--bg:#161614;--card:#1f1f1d;--ink:#ececE8;--soft:#a3a39c;--line:#3a3a36;--code:#2a2a27;--high:#ff8f86;--medium:#f0bd5a;--low:#8fb8f0;--save:#7fd6a2;--bar:#4f6a8c;--crit:#e8834f;--fold:#3d4a59;--link:#8ab8f5}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header.page,footer{max-width:64rem;margin:0 auto;padding:0 1rem}
header.page{padding-top:1.5rem}
h1{font-size:1.5rem;margin:0;line-height:1.25}
h2{font-size:1.15rem;margin:2rem 0 .6rem}
h3{font-size:1.1rem;margin:0;line-height:1.3;overflow-wrap:anywhere}
h4{font-size:.85rem;margin:1rem 0 .3rem;color:var(--soft);font-weight:600}
p{margin:.4rem 0}
.soft{color:var(--soft);font-size:.9rem}
a{color:var(--link)}
code,pre,.mono{font:.85rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{background:var(--code);border-radius:3px;padding:.05rem .3rem;overflow-wrap:anywhere}
pre{background:var(--code);border-radius:5px;padding:.7rem .8rem;margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600;overflow-wrap:normal}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr:last-child td{border-bottom:0}
.overview code{overflow-wrap:break-word}.overview td{overflow-wrap:break-word}.overview tr:has(+ .alike) td{border-bottom:0}.overview .alike td{padding-top:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem 1.2rem;margin:0 0 1rem}
.tag{display:inline-block;font-size:.75rem;font-weight:700;letter-spacing:.03em;border:1px solid currentColor;border-radius:4px;padding:.05rem .4rem;white-space:nowrap}
.high{color:var(--high)}.medium{color:var(--medium)}.low{color:var(--low)}
.saving{color:var(--save);font-weight:600}
.saving strong{font-size:1.35rem}
.head{display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}
.head h3{flex:1 1 20rem}
.fix{position:relative}
.fix button{position:absolute;top:.4rem;right:.4rem}
button{font:inherit;font-size:.8rem;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:4px;padding:.1rem .6rem;cursor:pointer}
button:focus-visible,a:focus-visible,summary:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.fix pre{padding-right:4.5rem}
summary{cursor:pointer;color:var(--soft);font-size:.9rem}
details{margin:.6rem 0 0}
.also{border-top:1px solid var(--line);padding-top:.6rem}.also[open]{padding-left:1rem}
ul{margin:.3rem 0;padding-left:1.2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.5rem 0;font-size:.92rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.wf{overflow-x:auto;margin-top:.5rem}
.wf table{min-width:40rem;table-layout:fixed;font-size:.82rem}
.wf td{padding:.12rem .5rem .12rem 0;border-bottom:1px solid var(--line)}
.wf col.c1{width:42%}.wf col.c2{width:6.5rem}
.wf .stmt{display:block;color:var(--soft);font-size:.75rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.wf svg{display:block;width:100%;height:1rem}
.wf .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.d0{padding-left:0}.d1{padding-left:.7rem}.d2{padding-left:1.4rem}.d3{padding-left:2.1rem}.d4{padding-left:2.8rem}.d5{padding-left:3.5rem}.d6{padding-left:4.2rem}.d7{padding-left:4.9rem}.d8{padding-left:5.6rem}
.bar{fill:var(--bar)}.bar.crit{fill:var(--crit)}.bar.fold{fill:var(--fold)}.bar.crit.fold{fill:var(--crit);opacity:.55}
.err{color:var(--high);font-weight:700}
.crit-mark{color:var(--crit);font-weight:700}
footer{padding-top:1rem;padding-bottom:2rem}
@media (max-width:40rem){.card{padding:.8rem}dl{grid-template-columns:1fr}dt{margin-top:.3rem}}
@media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--code:#f4f4f4}body{font-size:11pt}.card{break-inside:avoid-page;border-color:#bbb}button{display:none}.wf{overflow:visible}.wf table{min-width:0}}
`.trim()
