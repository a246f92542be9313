import { createHash } from 'node:crypto'
import { escapeHtml } from './escape-html.ts'
import { pageStyle } from './html-style.ts'

/** Copy buttons, and closed parts opened for the printer. */
const staticScript = `
document.addEventListener('click',function(e){var b=e.target.closest('button[data-copy]');if(!b)return;
var t=b.parentNode.querySelector('pre').textContent,done=function(){b.textContent='copied';setTimeout(function(){b.textContent='copy'},1500)};
if(navigator.clipboard)navigator.clipboard.writeText(t).then(done,function(){});
else{var r=document.createRange();r.selectNodeContents(b.parentNode.querySelector('pre'));getSelection().removeAllRanges();getSelection().addRange(r)}});
addEventListener('beforeprint',function(){document.querySelectorAll('details').forEach(function(d){d.open=true})});
`.trim()

/** Asks the API whether the findings changed; if so takes the new page in place, keeping what the reader has opened. */
const liveScript = `
(function(){var last='';
function key(d){return d&&typeof d.digest==='string'?d.digest:''}
function tick(){if(document.hidden){setTimeout(tick,2000);return}
fetch('/api/v1/findings'+location.search,{headers:{accept:'application/json'}}).then(function(r){return r.ok?r.json():Promise.reject()}).then(function(d){
var k=key(d);if(last===''){last=k}var s=document.getElementById('live');if(s)s.textContent='live';
if(k===last)return;
return fetch('/'+location.search).then(function(r){return r.ok?r.text():Promise.reject()}).then(function(h){last=k;
var open={};document.querySelectorAll('details[data-id]').forEach(function(x){open[x.dataset.id]=x.open});
var page=new DOMParser().parseFromString(h,'text/html');
['main','header.page'].forEach(function(q){var a=document.querySelector(q),b=page.querySelector(q);if(a&&b)a.replaceWith(document.adoptNode(b))});
document.querySelectorAll('details[data-id]').forEach(function(x){if(x.dataset.id in open)x.open=open[x.dataset.id]})})
}).catch(function(){var s=document.getElementById('live');if(s)s.textContent='connection lost, trying again'}).then(function(){setTimeout(tick,2000)})}
last=document.documentElement.dataset.digest||'';setTimeout(tick,1000)})();
`.trim()

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

export interface PageParts {
  readonly title: string
  readonly header: string
  readonly main: string
  readonly footer: string
  /** Content digest of a page that refreshes itself; absent on a stored file, which then may connect to nothing. */
  readonly liveDigest?: string
}

/** One self-contained document. Its policy allows this style and this script by hash and nothing else from anywhere. */
export const htmlPage = (parts: PageParts): string => {
  const live = parts.liveDigest !== undefined
  const script = live ? `${staticScript}\n${liveScript}` : staticScript
  const policy = [
    "default-src 'none'",
    `style-src ${sha256(pageStyle)}`,
    `script-src ${sha256(script)}`,
    'img-src data:',
    ...(live ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en"${live ? ` data-digest="${escapeHtml(parts.liveDigest)}"` : ''}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(parts.title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header class="page">${parts.header}</header>
<main>
${parts.main}
</main>
<footer class="soft">${parts.footer}</footer>
<script>${script}</script>
</body>
</html>
`
}
