'use strict';
// What is asked of the app in parity/, by rows of docs/fidelity.json. An answer is plain JSON and has nothing in it that differs from one request to the next:
// no ids, no dates. A probe that cannot tell says why with `unknown`.

const kId = /(?:[a-z]{3,4}\d:{1,2}){0,2}[a-z0-9]+-\d{13}-[0-9a-f]{12}/g;
const kRegion = /[a-z]{3,4}\d(?=:)/g;
// Of every answer, or of the connection.
const kOrdinary = new Set(['date', 'content-length', 'connection', 'keep-alive', 'transfer-encoding', 'age', 'etag']);

const idForm = (id) => id?.replace(kRegion, 'region').replace(/[a-z0-9]+-\d{13}-[0-9a-f]{12}$/, 'id');
const refused = ({ status, headers = {}, ending }) => ({ status, error: headers['x-vercel-error'], ending });
// What a route says of itself; how the answer looks where it is none of the route's.
function said(answer) {
  if (answer.status !== 200) return refused(answer);
  try {
    return JSON.parse(answer.text);
  } catch {
    return { ...refused(answer), type: answer.headers['content-type'] };
  }
}
// What a person reads of an error: ids, the host and the mark-up are nobody's promise.
function words(answer, host) {
  const text = (answer.text ?? '').replace(kId, 'ID').replaceAll(host, 'HOST').replace(/<(style|script|title)[^]*?<\/\1>/g, ' ');
  return answer.headers?.['content-type']?.includes('html') ? text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim() : text;
}
const sized = (bytes) => Buffer.alloc(bytes, 97);
const post = (bytes) => ({ method: 'POST', body: sized(bytes), headers: { 'content-type': 'application/octet-stream' }, deadline: 120_000 });
const later = (ms) => new Promise((done) => setTimeout(done, ms));
const one = (name, row, does) => ({ name, rows: [row], does });

const kNotMet = 'no invocation met the instance again that had the work';
// What became of work of 1 s, by the instance that had it.
async function workOf(ask, id, instance) {
  await later(3000);
  for (let i = 0; i < 20; i++) {
    const again = said(await ask(`/api/background?id=${id}`));
    // Work that stopped goes on, if at all, with the next invocation.
    if (instance && again.instance === instance) return again.after !== null && again.after < 2500 ? 'done' : 'stopped';
  }
  return undefined;
}

// Compiled first where a dev server answers. How long a function may run is read where its stream breaks off: from its first byte on, the way to the function
// and its start are over, which a busy machine makes long.
const cut = (name, row, deadline, isStreamed) =>
  one(name, row, async ({ ask }) => {
    await ask(`/api/${name}?for=0`, { deadline: 90_000 });
    const [whole, stream] = await Promise.all([ask(`/api/${name}`, { deadline }), isStreamed ? ask(`/api/${name}?how=stream`, { deadline }) : undefined]);
    return { whole: refused(whole), ...(stream && { stream: { ...refused(stream), seconds: Math.round(stream.firstBefore) } }) };
  });

// They wait, each for its own limit: all at once, beside the others.
const kLong = [
  cut('cut-default', 'duration', 420_000, true),
  cut('cut-of-file', 'duration', 120_000, true),
  cut('cut-edge', 'edge-duration', 120_000, false),
];

const kShort = [
  one('request-body', 'request-body', async ({ ask }) => ({
    below: said(await ask('/api/body', post(4_400_000))),
    above: refused(await ask('/api/body', post(4_600_000))),
  })),
  one('response-body', 'response-body', async ({ ask }) => {
    const of = async (path) => {
      const answer = await ask(path, { deadline: 120_000 });
      return { ...refused(answer), megabytes: answer.status === 200 ? answer.bytes / 1e6 : undefined };
    };
    return { below: await of('/api/big?bytes=4400000'), above: await of('/api/big?bytes=5000000'), streamed: await of('/api/streamed') };
  }),
  one('pages-stream', 'response-body', async ({ ask }) => {
    const answer = await ask('/api/stream');
    return { ...refused(answer), firstBytesComeFirst: answer.firstBefore > 1 };
  }),
  one('head', 'head', async ({ ask }) => {
    const url = async (length) => refused(await ask(`/api/parity?x=${'x'.repeat(length)}`));
    const headers = async (count, length) => refused(await ask('/api/parity', { headers: Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-parity-${i}`, 'x'.repeat(length)])) }));
    return {
      url13000: await url(13_000), url15000: await url(15_000), header15000: await headers(1, 15_000), header17000: await headers(1, 17_000),
      headers30000: await headers(3, 10_000), headers34500: await headers(3, 11_500), notUtf8: refused(await ask('/api/parity', { headers: { cookie: 'a=\xff' } })),
    };
  }),
  one('module-state', 'module-state', async ({ ask }) => {
    const met = [];
    for (let i = 0; i < 4; i++) met.push(said(await ask('/api/instance')));
    const { of } = said(await ask('/api/other'));
    const together = (await Promise.all(Array.from({ length: 6 }, () => ask('/api/instance?hold=1500')))).map(said);
    const wrong = [...met, ...together].find(({ instance }) => !instance);
    if (wrong) return wrong;
    return { isKept: met.some(({ count }) => count > 1), isSharedWithPagesApi: of !== null, isSharedAtOnce: together.some(({ mostOpen }) => mostOpen > 1) };
  }),
  one('cold-start', 'cold-start', async ({ ask }) => {
    const [first, second] = [await ask('/api/cold', { deadline: 90_000 }), await ask('/api/cold')];
    const { count } = said(first);
    if (first.status === 200 && count !== 1) return { unknown: 'its instance is there from an earlier request: record it again when a new deployment is made' };
    return { ...refused(first), first: { seconds: Math.round(first.ms / 100) / 10 }, second: { seconds: Math.round(second.ms / 100) / 10 } };
  }),
  one('connections', 'connections', async ({ ask }) => {
    const [route, pages] = [said(await ask('/api/pool')), said(await ask('/api/pool-of-pages'))];
    const failed = [route, pages].find((one) => one.failed);
    return failed ? { unknown: `no connection to the deployment itself: ${failed.failed}` } : { ofRoute: route.connections, ofPagesApi: pages.connections, isShared: route.pool === pages.pool };
  }),
  one('skew', 'skew', async ({ ask }) => {
    // As a tab asks that was loaded from a deployment that is gone.
    const action = await ask('/tab', { method: 'POST', body: '[]', headers: { 'next-action': `40${'0'.repeat(40)}`, 'content-type': 'text/plain;charset=UTF-8' } });
    const chunk = await ask('/_next/static/chunks/of-an-older-build.js');
    const named = await ask('/api/parity?dpl=dpl_parity', { headers: { 'x-deployment-id': 'dpl_parity', cookie: '__vdpl=dpl_parity' } });
    return {
      action: { ...refused(action), notFound: action.headers?.['x-nextjs-action-not-found'] },
      chunk: { ...refused(chunk), type: chunk.headers?.['content-type'] },
      named: refused(named),
    };
  }),
  one('tmp', 'tmp', async ({ ask }) => {
    const wrote = said(await ask(`/api/instance?write=${Date.now()}`));
    const other = said(await ask('/api/other'));
    return wrote.tmp ? { megabytes: wrote.tmp, isSharedWithPagesApi: other.written !== null } : wrote;
  }),
  one('background', 'background', async ({ ask }) => {
    const of = async (how) => {
      const id = `${how}${Date.now()}`;
      const { instance } = said(await ask(`/api/background?how=${how}&id=${id}`));
      return workOf(ask, id, instance);
    };
    const [after, nobody] = [await of('after'), await of('nobody')];
    return after && nobody ? { after, nobody } : { unknown: kNotMet };
  }),
  one('client-leaves', 'client-leaves', async ({ ask }) => {
    await ask('/api/background', { deadline: 90_000 });
    const id = `left${Date.now()}`;
    const { ending, status, text } = await ask(`/api/background?how=left&id=${id}`, { leave: 200 });
    if (status !== 200 || ending !== 'left') return { unknown: `the stream did not wait for its client to go: ${status ?? ending}` };
    const work = await workOf(ask, id, text.split('\n')[0]);
    return work ? { work } : { unknown: kNotMet };
  }),
  one('broken-off', 'broken-off', async ({ ask }) => {
    const answer = await ask('/api/broken');
    return { ...refused(answer), text: answer.text };
  }),
  one('websocket', 'websocket', async ({ ask }) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    const answer = await ask('/api/instance', { headers, deadline: 15_000 });
    return { ...refused(answer), upgrade: answer.headers?.upgrade };
  }),
  one('socket-server', 'socket-server', async ({ ask }) => {
    const put = said(await ask('/api/socket'));
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    return { ...put, upgrade: refused(await ask('/api/socket?upgrade', { headers, deadline: 15_000 })) };
  }),
  one('edge-code', 'code-from-strings', async ({ ask }) => said(await ask('/api/edge-code'))),
  one('disk', 'disk', async ({ ask }) => {
    const { traced, notTraced, ...writes } = said(await ask('/api/disk'));
    return writes;
  }),
  one('files', 'files', async ({ ask }) => {
    // vercel-sim finds out behind the first read what nothing traces (disk.reads).
    if (said(await ask('/api/disk')).notTraced === 'done') await later(3000);
    const { status, error, traced, notTraced } = said(await ask('/api/disk'));
    return { status, error, traced, notTraced };
  }),
  one('loopback-own', 'loopback-own', async ({ ask }) => said(await ask('/api/own'))),
  one('neighbours', 'loopback', async ({ ask }) => said(await ask('/api/neighbours'))),
  one('smtp', 'smtp', async ({ ask }) => {
    const { submission, ...answer } = said(await ask('/api/smtp'));
    // A network that lets nothing out says nothing of port 25.
    return submission === undefined || submission === 'open' ? answer : { unknown: `no mail server was reached on port 587 either: ${submission}` };
  }),
  one('ipv6', 'ipv6', async ({ ask }) => said(await ask('/api/ipv6'))),
  one('own-deployment', 'protection', async ({ ask }) => said(await ask('/api/deployment'))),
  one('programs', 'programs', async ({ ask }) => said(await ask('/api/machine?what=programs'))),
  one('processor', 'processor', async ({ ask }) => said(await ask('/api/machine?what=processor'))),
  one('memory', 'memory', async ({ ask }) => said(await ask('/api/machine?what=memory'))),
  one('fonts', 'fonts', async ({ ask }) => said(await ask('/api/there?what=fonts'))),
  one('libraries', 'libraries', async ({ ask }) => said(await ask('/api/there?what=libraries'))),
  one('local-variables', 'environment-local', async ({ ask }) => {
    const { written, asked, ...answer } = said(await ask('/api/variables'));
    return answer;
  }),
  one('public-variables', 'public-variables', async ({ ask }) => {
    const { local, committed, ...answer } = said(await ask('/api/variables'));
    return answer;
  }),
  one('environment', 'environment', async ({ ask }) => said(await ask('/api/machine'))),
  one('made-at-build', 'made-at-build', async ({ ask }) => {
    const [first, second] = [await ask('/built'), await ask('/built')];
    return { ...refused(second), isTheSame: first.text === second.text, cache: second.headers?.['x-vercel-cache'] };
  }),
  one('answer', 'errors', async ({ ask }) => {
    const of = (answer) => {
      const { 'x-vercel-id': id, ...headers } = answer.headers ?? {};
      const kept = ['server', 'cache-control', 'content-type', 'strict-transport-security', 'x-vercel-cache', 'x-vercel-error', 'x-matched-path', 'x-powered-by'];
      return { status: answer.status, id: idForm(id), names: Object.keys(headers).filter((name) => !kOrdinary.has(name)).sort(), values: Object.fromEntries(kept.map((name) => [name, headers[name]])) };
    };
    return { ofFunction: of(await ask('/api/parity')), ofNothing: of(await ask('/api/no-such-function')) };
  }),
  one('cdn', 'cdn', async ({ ask }) => {
    const path = `/api/cached?key=${Date.now()}`;
    const [first, second] = [await ask(path), await ask(path)];
    return { ...refused(second), cacheControl: first.headers?.['cache-control'], first: first.headers?.['x-vercel-cache'], second: second.headers?.['x-vercel-cache'], isTheSame: first.text === second.text };
  }),
  one('request-headers', 'place', async ({ ask }) => said(await ask('/api/headers', { headers: { 'x-forwarded-for': '192.0.2.7' } }))),
  one('compression', 'compression', async ({ ask }) => {
    const of = async (what) => {
      const answer = await ask(`/api/long-text?what=${what}`, { headers: { 'accept-encoding': 'br, gzip' } });
      return { ...refused(answer), encoding: answer.headers?.['content-encoding'] };
    };
    return { json: await of('json'), events: await of('events') };
  }),
];

// These end instances, or fill them: last, alone.
const kRough = [
  one('endings', 'endings', async ({ ask }) => {
    await ask('/api/crash', { deadline: 90_000 });
    const of = async (how) => refused(await ask(`/api/crash?how=${how}`));
    return { exit: await of('exit'), uncaught: await of('uncaught'), thrown: await of('thrown') };
  }),
  one('error-bodies', 'errors', async ({ ask, host }) => {
    const of = async (accept) => {
      const answer = await ask('/api/crash?how=exit', { headers: { accept } });
      return { ...refused(answer), type: answer.headers?.['content-type'], words: words(answer, host) };
    };
    return { text: await of('*/*'), json: await of('application/json'), html: await of('text/html') };
  }),
  one('descriptors', 'descriptors', async ({ ask }) => said(await ask('/api/machine?what=descriptors'))),
];

const kProbes = [...kLong, ...kShort, ...kRough];

module.exports = { kLong, kProbes, kRough, kShort, idForm, words };
