'use strict';
// The lesson in the browser: one address for the whole of `learn`, whichever run it is in. Serves the program's own live page, passes on what the run of now tells,
// and in the same stream what the lesson's board says. Who came by the link of the terminal may press its keys; others only look.

const { execFile } = require('node:child_process');
const { randomBytes, timingSafeEqual } = require('node:crypto');
const http = require('node:http');

const kPath = '/_vercel-sim/';
// What a page that reads nothing may have waiting here; vercel-sim itself keeps the rest, and says what it drops.
const kMostWaiting = 1 << 20;
const kMostPages = 16;
const kHead = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'content-security-policy': "frame-ancestors 'none'",
};

const isSame = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
const isLoopback = (host) => /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host ?? '');

// As app/live.cpp has it: a browser on this machine, and no page of somebody else.
function isStranger({ headers }, isPage) {
  const { host, origin } = headers;
  if (!isLoopback(host) || (origin !== undefined && origin !== `http://${host}`)) return true;
  const site = headers['sec-fetch-site'] ?? 'none';
  const followedLink = isPage && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return !(site === 'none' || site === 'same-origin' || followedLink);
}

// `board`: what the lesson shows, and its keys (board.cjs). { link, follow, stop }: `follow(sim)` is called with each run that begins.
async function openWindow({ program, board }) {
  const token = randomBytes(8).toString('hex');
  const pages = new Set();
  /** @type {{ url: string, token: () => string } | undefined} */
  let sim;
  const html = new Promise((resolve, reject) => execFile(program, ['__page'], { maxBuffer: 1 << 24 }, (error, out) => (error ? reject(error) : resolve(out))));
  html.catch(() => {});  // whoever asks for it is told

  const send = (res, status, text, more = {}) => res.writeHead(status, { ...kHead, 'content-type': 'text/plain; charset=utf-8', ...more }).end(text);
  const sendJson = (res, status, value) => send(res, status, JSON.stringify(value), { 'content-type': 'application/json; charset=utf-8' });
  const lessonMessage = () => `event: lesson\ndata: ${JSON.stringify(board.state)}\n\n`;

  const follow = (page) => {
    page.upstream?.destroy();
    if (!sim) return;
    page.upstream = http.get(`${sim.url}${kPath}events`, { agent: false }, (answer) => passOn(answer, page));
    page.upstream.on('error', () => {});  // it has ended; the next run is followed
    page.upstream.end();
  };
  const server = http.createServer(async (req, res) => {
    const [pathname] = req.url.split('?', 1);
    const what = pathname.startsWith(kPath) ? pathname.slice(kPath.length) : undefined;
    if (isStranger(req, what === '')) return send(res, 403, 'this page is for a browser on the machine that vercel-sim runs on: open it at localhost\n');
    if (pathname === kPath.slice(0, -1)) return send(res, 308, '', { location: kPath });
    if (what === undefined) return sim && req.url.startsWith('/') ? send(res, 307, '', { location: sim.url + req.url }) : send(res, 503, 'the app of the lesson is being started\n');
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    if (what === 'api/lesson' && isRead) return sendJson(res, 200, board.state);
    if (!isRead && !(req.method === 'POST' && what.startsWith('api/'))) return send(res, 405, 'this is for reading only\n', { allow: 'GET, HEAD' });
    if (!isRead && !isSame(String(req.headers['x-vercel-sim-token'] ?? ''), token)) return sendJson(res, 403, { error: 'this changes the lesson, and needs its token: what stands behind # in the link that the terminal shows' });
    if (what === 'api/lesson') {
      const key = new URLSearchParams(req.url.slice(pathname.length)).get('key') ?? '';
      return board.press(key) ? sendJson(res, 200, board.state) : sendJson(res, 409, { error: `the lesson does not wait for ${JSON.stringify(key)} now` });
    }
    if (what === '') return html.then((text) => send(res, 200, text, { 'content-type': 'text/html; charset=utf-8' }), (error) => send(res, 500, `the page cannot be read: ${error.message}\n`));
    if (what === 'events') {
      if (pages.size >= kMostPages) return send(res, 503, 'too many pages are open: close some\n');
      const page = { res, upstream: undefined };
      pages.add(page);
      res.on('close', () => {
        pages.delete(page);
        page.upstream?.destroy();
      });
      res.writeHead(200, { ...kHead, 'content-type': 'text/event-stream' });
      res.write(`retry: 1000\n${lessonMessage()}`);
      return follow(page);
    }
    if (!sim) return sendJson(res, 503, { error: 'the app of the lesson is being started' });
    const headers = isRead ? {} : { 'x-vercel-sim-token': sim.token(), 'content-length': '0' };
    const asked = http.request(sim.url + req.url, { method: req.method, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode, { ...kHead, 'content-type': answer.headers['content-type'] ?? 'text/plain' });
      answer.pipe(res);
    });
    asked.on('error', () => (res.headersSent ? res.destroy() : sendJson(res, 503, { error: 'vercel-sim does not answer' })));
    asked.end();
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  board.watch(() => {
    for (const { res } of pages) tell(res, lessonMessage());
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    link: `http://localhost:${port}${kPath}#${token}`,
    follow: (run) => {
      sim = run;
      pages.forEach(follow);
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

// Whole messages only: the lesson's own stand between them.
function passOn(answer, page) {
  let rest = '';
  answer.setEncoding('utf8');
  answer.on('error', () => {});
  answer.on('data', (text) => {
    const end = (rest + text).lastIndexOf('\n\n') + 2;
    const whole = end > 1 ? (rest + text).slice(0, end) : '';
    rest = (rest + text).slice(whole.length);
    if (!whole || tell(page.res, whole)) return;
    answer.pause();
    page.res.once('drain', () => answer.resume());
  });
}

// A page that takes nothing is let go; it comes back and reads what holds then.
function tell(res, text) {
  if (res.writableLength > kMostWaiting) res.destroy();
  return res.destroyed || res.write(text);
}

module.exports = { openWindow };
