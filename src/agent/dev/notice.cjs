'use strict';
// A small notice on the app's own page when one of its requests was cut or refused. No answer of the app is touched: the script stands at the end of the bundler's
// runtime, which next dev serves for its own dev client, so that what the page's HTML and its policy (CSP) allow to run is what runs. docs/decisions/0046.

const { isClientRuntime } = require('../next/names.cjs');
const decoded = require('../shared/decoded.cjs');

module.exports = function (sim) {
  // Before Next sees the request: what it sends is then whole and as it is.
  function addNotice(req, res) {
    if (!sim.options.notice || req.method !== 'GET' || !isClientRuntime(decoded(req.url))) return;
    for (const name of ['accept-encoding', 'range', 'if-none-match', 'if-modified-since', 'if-range']) delete req.headers[name];
    const { writeHead, end } = res;
    let isScript = false;
    /** @this {any} */
    res.writeHead = function (status, ...rest) {
      isScript = status === 200 && /javascript/.test(String(this.getHeader('content-type'))) && !this.getHeader('content-encoding');
      if (isScript) for (const name of ['content-length', 'etag', 'last-modified', 'accept-ranges']) this.removeHeader(name);
      return writeHead.call(this, status, ...rest);
    };
    /** @this {any} */
    res.end = function (chunk, ...rest) {
      if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') this.write(chunk, typeof rest[0] === 'string' ? rest[0] : undefined);
      else if (!this.headersSent) this.writeHead(this.statusCode);
      const callback = [chunk, ...rest].find((one) => typeof one === 'function');
      return end.call(this, isScript ? `\n;(${notice})();\n` : undefined, callback);
    };
  }

  return { addNotice };
};

// ---- In the browser: nothing of the above is there ----------------------------------------------------------------------------------------

function notice() {
  const { fetch, location, document, performance, setTimeout, PerformanceObserver, URL, CSSStyleSheet } = globalThis;
  const kOnce = Symbol.for('vercel-sim.notice'), kName = 'vercel-sim-notice', kApi = '/_vercel-sim/api/', kAtMost = 1000;
  // Only a page of its own, on the machine that vercel-sim runs on: it tells nobody else.
  if (globalThis[kOnce] || !document || globalThis.top !== globalThis.window || !PerformanceObserver || !fetch) return;
  if (!/^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(location.hostname)) return;
  globalThis[kOnce] = true;
  const asked = new Set();  // paths that this page has asked for
  const told = [];
  let zero, after, timer, list;
  let isOver = false;

  const ask = async (what) => {
    const answer = await fetch(kApi + what, { priority: 'low' });
    if (!answer.ok) throw answer.status;
    return answer.json();
  };
  async function look() {
    timer = undefined;
    try {
      zero ??= (await ask('run')).at_ms - performance.now();
      const { verdicts, next, more } = await ask(after === undefined ? 'verdicts' : `verdicts?after=${after}`);
      after = next || after;
      for (const event of verdicts) if (isOurs(event)) tell(event);
      if (more && after !== undefined && verdicts.length > 0) later();
    } catch (why) {
      if (why === 503) later();  // many ask at once
      else isOver = true;  // the page's policy, or nobody there: it is no business of the page
    }
  }
  const later = () => {
    if (!isOver) timer ??= setTimeout(look, kAtMost);
  };
  // Of a WebSocket only the site that asked for it is known, and nothing of what is no browser.
  function isOurs({ at_ms: at, ended_by: by, traffic, target = '', origin, verdict }) {
    if (at < zero || by !== 'platform' || !verdict.enforced) return false;
    return traffic === 'socket' ? origin === location.origin : asked.has(target.split('?')[0]);
  }

  function tell({ method, target, status, traffic, verdict }) {
    const what = `${traffic === 'socket' ? 'a WebSocket of this page, or of another one that is open: ' : ''}${method} ${target.split('?')[0]}`;
    const known = told.find((one) => one.what === what && one.code === verdict.code);
    if (known) known.times += 1;
    else told.push({ what, status, code: verdict.code, times: 1 });
    show();
  }
  const make = (tag, text, more) => Object.assign(document.createElement(tag), { textContent: text }, more);
  // In a tree of its own, which neither the app's styles nor its queries reach.
  function show() {
    const old = document.querySelector(kName);
    if (!old) {
      const host = document.createElement(kName);
      const root = host.attachShadow({ mode: 'closed' });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`:host{all:initial}div{position:fixed;right:12px;bottom:12px;z-index:2147483000;max-width:min(380px,calc(100vw - 24px));box-sizing:border-box;padding:10px 12px;border:1px solid #cb1f2f;border-radius:8px;
background:#fff;color:#171717;font:13px/1.45 system-ui,sans-serif;box-shadow:0 4px 20px #0004;overflow-wrap:anywhere}p{margin:0 28px 4px 0}a{color:#0068d6;display:inline-block;padding:4px 0}
button{position:absolute;top:4px;right:4px;width:28px;height:28px;border:0;background:none;color:inherit;font:18px/1 system-ui;cursor:pointer}:focus-visible{outline:2px solid #0068d6}
@media(prefers-color-scheme:dark){div{background:#131313;color:#ededed;border-color:#ff6166}a{color:#52a8ff}}`);
      root.adoptedStyleSheets = [sheet];
      const box = document.createElement('div');
      box.setAttribute('role', 'status');
      list = document.createElement('section');
      const close = make('button', '×', { type: 'button', onclick: () => (told.splice(0), host.remove()) });
      close.setAttribute('aria-label', 'Close');
      box.append(list, make('a', 'What happened, and what to change', { href: '/_vercel-sim/', target: '_blank', rel: 'noopener' }), close);
      root.append(box);
      document.body?.append(host);
    }
    const lines = told.slice(-3).map(({ what, status, code, times }) => make('p', `vercel-sim: ${what} ${status >= 400 ? `was answered with ${status}` : 'was cut'}${times > 1 ? `, ${times} times` : ''} (${code})`));
    list.replaceChildren(...lines);
  }

  const seen = ({ name }) => {
    const url = new URL(name, location.href);
    if (url.origin !== location.origin || /^\/(_next|_vercel-sim|__nextjs)/.test(url.pathname)) return;
    asked.add(url.pathname);
    later();
  };
  new PerformanceObserver((entries) => entries.getEntries().forEach(seen)).observe({ type: 'resource', buffered: true });
  // A WebSocket that was refused is in no such list: it is asked for once the page is there, and again a little later.
  for (const ms of [1500, 6000]) setTimeout(later, ms);
}
