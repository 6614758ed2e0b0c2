/** The style of all pages, inline, so that a page is one response. Colour is never the only sign: every state has a word. */
export const style = `
:root{color-scheme:light dark;--bg:#f7f7f5;--panel:#fff;--ink:#1b2025;--soft:#59636d;--line:#dadde0;--rule:#eceeef;
--crit:#b3231a;--crit-bg:#fdeeec;--warn:#855300;--warn-bg:#fff6e3;--info:#1d5c96;--info-bg:#ecf4fb;--ok:#2a6a46;--code:#f2f3f2;--quiet:#b4bcc3;--served:#9cc4ab}
@media(prefers-color-scheme:dark){:root{--bg:#101316;--panel:#181c20;--ink:#e7eaec;--soft:#9fa9b2;--line:#333a41;--rule:#262c32;
--crit:#ff9d92;--crit-bg:#371b19;--warn:#efc46e;--warn-bg:#30270f;--info:#92c7f5;--info-bg:#15293a;--ok:#86d0a2;--code:#22272c;--quiet:#56606a;--served:#3d6b4f}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.wide{max-width:78rem;margin:0 auto;padding:0 1.25rem}
a{color:var(--info);text-underline-offset:.15em}
a:focus-visible,button:focus-visible,input:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--info);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--panel);padding:.4rem .8rem;z-index:9}
header{border-bottom:1px solid var(--line);background:var(--panel)}
header .wide{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;align-items:baseline;padding-top:.7rem;padding-bottom:.7rem}
header strong{font-size:1rem;overflow-wrap:anywhere}
header .where{color:var(--soft);overflow-wrap:anywhere}
header nav{margin-left:auto;display:flex;gap:1rem;flex-wrap:wrap}
h1{font-size:1.55rem;line-height:1.25;margin:0;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.08rem;margin:2.2rem 0 .7rem;display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap}
h2 small,.soft{color:var(--soft);font-weight:400;font-size:.87rem}
h3{font-size:1rem;margin:0;font-weight:650}
.verdict{margin:1.4rem 0 0;padding:1rem 1.2rem;border-left:.45rem solid var(--ok);background:var(--panel);border-radius:.25rem}
.verdict p{margin:.25rem 0 0;color:var(--soft)}
.verdict.critical{border-color:var(--crit);background:var(--crit-bg)}
.verdict.warning,.verdict.unknown{border-color:var(--warn);background:var(--warn-bg)}
.lost{margin:1rem 0 0;padding:.6rem 1.2rem;border-left:.45rem solid var(--warn);background:var(--warn-bg)}
.toc{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:.9rem 0 0;padding:0;list-style:none;font-size:.92rem}
.mismatch{background:var(--panel);border:1px solid var(--line);border-left:.3rem solid var(--info);border-radius:.25rem;padding:.85rem 1.1rem 1rem;margin:0 0 .8rem}
.mismatch.critical{border-left-color:var(--crit)}
.mismatch.warning{border-left-color:var(--warn)}
.mismatch .head{display:flex;flex-wrap:wrap;gap:.15rem .7rem;align-items:baseline}
.mismatch .head a{overflow-wrap:anywhere;min-width:0}
.mismatch .since{margin-left:auto;color:var(--soft);font-size:.87rem;white-space:nowrap}
.others{margin:.3rem 0 0}
.alike{margin:.8rem 0 0}
.alike summary{cursor:pointer;margin-bottom:.4rem}
.others p{margin:.3rem 0 0;overflow-wrap:anywhere}
.subject{font-family:var(--mono);overflow-wrap:anywhere}
.tag{font-size:.72rem;font-weight:700;letter-spacing:.05em;text-transform:uppercase;color:var(--info)}
.critical>.tag,.critical .head .tag,.tag.critical{color:var(--crit)}
.warning>.tag,.warning .head .tag,.tag.warning{color:var(--warn)}
:root{--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}
code,pre,.mono{font-family:var(--mono);font-size:.86em}
dl{margin:.55rem 0 0;display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere;min-width:0;grid-column:2}
.try{display:flex;gap:.7rem;align-items:stretch;margin:.7rem 0 0}
.try pre{flex:1;min-width:0;margin:0;padding:.5rem .8rem;background:var(--code);border-radius:.2rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
.advice{margin:.7rem 0 0;overflow-wrap:anywhere}
button,.button{font:inherit;font-size:.87rem;color:var(--ink);background:var(--panel);border:1px solid var(--quiet);border-radius:.2rem;padding:.25rem .8rem;cursor:pointer}
button:hover{border-color:var(--ink)}
details.more{background:var(--panel);border:1px solid var(--line);border-radius:.25rem;margin:0 0 .8rem;padding:.6rem 1.1rem}
details.more summary{cursor:pointer}
details.more[open] summary{margin-bottom:.6rem}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.25rem;background:var(--panel)}
table{border-collapse:collapse;width:100%;font-size:.91rem}
th,td{text-align:left;padding:.38rem .8rem;border-bottom:1px solid var(--rule);vertical-align:baseline}
tr:last-child td{border-bottom:0}
thead th{font-weight:600;color:var(--soft);white-space:nowrap;border-bottom-color:var(--line)}
thead a{color:inherit;text-decoration:none}
thead a:hover{text-decoration:underline}
th[aria-sort] a{color:var(--ink)}
td{overflow-wrap:anywhere;min-width:5rem}
td.mono{font-size:.83rem}
td.tight,th.tight{white-space:nowrap;overflow-wrap:normal;min-width:0}
td.num,th.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;min-width:0}
td.cut{min-width:15rem;max-width:24rem}
td:first-child{min-width:8rem}
.state{white-space:nowrap;font-weight:600}
.state::before{content:"";display:inline-block;width:.55em;height:.55em;margin-right:.5em;border-radius:50%;background:currentColor}
.state.ok{color:var(--ok);font-weight:400}
.state.bad{color:var(--crit)}
.state.bad::before{border-radius:0;transform:rotate(45deg) scale(.9)}
.state.odd{color:var(--warn)}
.state.odd::before{background:none;border:.14em solid currentColor}
.badnum{color:var(--crit);font-weight:600}
.spark{display:block;vertical-align:middle}
td.say{min-width:15rem}
.spark .ok{fill:var(--quiet)}
.spark .bad,.spark .drops{fill:var(--crit)}
.spark .odd{fill:var(--warn)}
.spark .came{fill:var(--served)}
.meter{vertical-align:middle}
.meter .all{fill:var(--quiet);opacity:.4}
.meter .part{fill:var(--info)}
.meter .bad{fill:var(--crit)}
.spark .queue{fill:var(--info);opacity:.55}
details.older{margin-top:.8rem}
.tools{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:center;margin:0 0 .8rem}
.tools input{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--quiet);border-radius:.2rem;padding:.3rem .6rem;width:min(20rem,100%)}
.tools [aria-current]{font-weight:650;color:var(--ink);text-decoration:none}
main .above{margin-top:2.4rem;margin-bottom:0}
.above .tools{margin:0}
@media(min-width:40rem){.above form{flex-wrap:nowrap}.above label{white-space:nowrap}.above input{width:18rem}}
.above+section h2{margin-top:1.1rem}
.pager{display:flex;gap:1rem;margin:.6rem 0 0;font-size:.92rem;flex-wrap:wrap}
.picture{background:var(--panel);border:1px solid var(--line);border-radius:.25rem;padding:.9rem}
.picture svg{display:block;width:100%;max-width:66rem;margin:0 auto;height:auto;font:12.5px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.picture .narrow{display:none}
.picture .label{fill:var(--ink)}
.picture .mono{font-size:12px}
.picture .soft{fill:var(--soft);font-size:11px}
.picture .col{fill:var(--soft);font-size:11px}
.picture .box{fill:var(--panel);stroke:var(--quiet)}
.picture .box.bad{fill:var(--crit-bg);stroke:var(--crit);stroke-width:1.5}
.picture .box.partly{fill:var(--panel)}
.picture .box.odd{fill:var(--warn-bg);stroke:var(--warn)}
.picture .box.gone{stroke-dasharray:5 4}
.picture .link{fill:none;stroke:var(--quiet);stroke-width:1.3}
.picture .link.bad{stroke:var(--crit);stroke-width:2.4}
.picture .link.odd{stroke:var(--warn);stroke-width:1.8}
.picture .link.gone{stroke-dasharray:5 5}
.picture .bad.text{fill:var(--crit);font-weight:650}
.picture .odd.text{fill:var(--warn)}
@media(max-width:52rem){.picture{padding:.6rem}.picture svg.broad{display:none}.picture svg.narrow{display:block;max-width:30rem;margin:0}}
.picture .narrow .mono{font-size:11px}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:0 0 .6rem;padding:0;list-style:none;font-size:.91rem}
.legend i{display:inline-block;width:.7rem;height:.7rem;margin-right:.45rem}
.map{max-height:27rem;overflow-y:auto;background:var(--panel);border:1px solid var(--line);border-radius:.25rem;padding:.8rem .9rem}
.cells{display:flex;flex-wrap:wrap;gap:.35rem .5rem;margin:0;padding:0;list-style:none}
.cells .named{flex:0 1 auto;min-width:7.5rem;max-width:100%;margin:0 .9rem .5rem 0;font-size:.87rem}
.cells .named>a{overflow-wrap:anywhere;margin-right:.2rem}
.row{display:flex;flex-wrap:wrap;gap:1px}
.cells .named .row{margin-top:.15rem;max-width:24rem}
.row a{display:block;width:.85rem;height:.85rem}
.small .row a{width:.55rem;height:.55rem}
.row a:hover,.row a:focus-visible{outline:2px solid var(--ink);outline-offset:1px}
.row .ok,.legend .ok{background:var(--served)}
.row .bad,.legend .bad{background:linear-gradient(45deg,var(--crit) 38%,var(--panel) 38% 62%,var(--crit) 62%)}
.row .gone,.legend .gone{background:var(--crit)}
.row .odd,.legend .odd{border:2px solid var(--warn)}
tr:target td{background:var(--info-bg)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:0 2.2rem}
.facts dl{align-content:start}
footer{color:var(--soft);font-size:.87rem;padding:2rem 0 2.5rem}
footer .wide{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;border-top:1px solid var(--line);padding-top:1rem}
@media(max-width:40rem){
.wide{padding:0 .85rem}
header nav{margin-left:0}
h1{font-size:1.28rem}
.mismatch{padding:.75rem .85rem .85rem}
.mismatch .since{margin-left:0}
dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:.35rem;grid-column:1}
.try{flex-direction:column}
th,td{padding:.35rem .55rem}
}
@media print{.tools,.toc,header nav,button{display:none}body{background:#fff}}
`;
