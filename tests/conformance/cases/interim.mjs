// Interim responses, Expect and Upgrade (RFC 9110 7.8, 10.1.1, 15.2).
import {bodyless, clientBody, clientHas, closes, either, fine, interims, noSmuggling, originBody, originHas, reaches, refused, request, response, responseCount, status, statusOf} from '../lib/expect.mjs';
import {answer, get, head, kHost, kSmuggled, post, suite} from './make.mjs';

const {cases, must, should, secure} = suite('interim', '9110 15.2');
export default cases;

const ok = answer(['Content-Length: 2'], 'ok');
const continue100 = 'HTTP/1.1 100 Continue\r\n\r\n';
const expecting = (length, ...headers) => head('POST {p} HTTP/1.1', kHost, `Content-Length: ${length}`, 'Expect: 100-continue', ...headers);

// 100-continue
must('continue', 'Expect: 100-continue gets 100, or its final answer, before the body is sent', [expecting(5), (c) => c.until(() => c.text.includes('100 ') || c.complete()), 'hello'], [status(200), originBody('hello')], {rfc: '9110 10.1.1', origin: async (ex) => {
  ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
must('continue-not-stuck', 'a client that waits for 100 is not left waiting for longer than the origin takes', [expecting(5), (c) => c.until(() => /HTTP\/1\.1 100/.test(c.text), 2500), 'hello'], [status(200), (r) => !/^HTTP\/1\.1 100/.test(r.text) && 'no 100'], {rfc: '9110 10.1.1', origin: async (ex) => {
  ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
must('continue-once', 'the client gets 100 once', [expecting(5), (c) => c.until(() => c.text.includes('100 ') || c.complete()), 'hello'], [status(200), response((x) => x.interim.filter((i) => i.status === 100).length > 1 && 'more than one 100')], {rfc: '9110 15.2.1', origin: async (ex) => {
  ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
must('continue-forwarded', 'the expectation reaches the origin, or the proxy answers it itself', [expecting(5), (c) => c.until(() => c.text.includes('100 ') || c.complete()), 'hello'], [status(200), either(originHas('Expect', /100-continue/i), interims(100))], {rfc: '9110 10.1.1', origin: async (ex) => {
  if (ex.head.has('expect')) ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
must('continue-case', '100-Continue is case-insensitive', [head('POST {p} HTTP/1.1', kHost, 'Content-Length: 5', 'Expect: 100-Continue'), (c) => c.until(() => c.text.includes('100 ') || c.complete(), 1500), 'hello'], [status(200), originBody('hello')], {rfc: '9110 10.1.1', origin: async (ex) => {
  ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
must('continue-final-first', 'a final answer of the origin instead of 100 reaches the client without the body', [expecting(5), {responses: 1}], [status(401), response((x) => x.interim.length > 0 && 'a 100 before the refusal')], {rfc: '9110 10.1.1', origin: [answer(['Content-Length: 2', 'Connection: close'], 'no', '401 Unauthorized'), {end: true}]});
cases.at(-1).expect = [status(401)];
must('continue-final-then-body', 'a body that the client did not send after a refusal is not read from the next request', [expecting(5), {responses: 1}, kSmuggled], [status(417), noSmuggling], {rfc: '9110 10.1.1', origin: [answer(['Content-Length: 2'], 'no', '417 Expectation Failed'), {hold: true}], settle: 150, security: true});
must('continue-body-at-once', 'a client need not wait for 100', expecting(5) + 'hello', [status(200), originBody('hello')], {rfc: '9110 10.1.1', origin: async (ex) => {
  ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
must('continue-chunked', 'Expect: 100-continue with a chunked body', [head('POST {p} HTTP/1.1', kHost, 'Transfer-Encoding: chunked', 'Expect: 100-continue'), (c) => c.until(() => c.text.includes('100 ') || c.complete()), '5\r\nhello\r\n0\r\n\r\n'], [status(200), originBody('hello')], {rfc: '9110 10.1.1', origin: async (ex) => {
  ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
must('continue-silent-origin', 'an origin that never says 100 still gets the body', [expecting(5), {pause: 150}, 'hello'], [status(200), originBody('hello')], {rfc: '9110 10.1.1'});
must('continue-1.0-ignored', 'Expect in HTTP/1.0 is ignored: no 100', head('POST {p} HTTP/1.0', kHost, 'Content-Length: 5', 'Expect: 100-continue') + 'hello', [status(200), interims(), originBody('hello')], {rfc: '9110 10.1.1'});
must('continue-no-body', 'Expect without a body does no harm', get('Expect: 100-continue'), status(200, 417), {rfc: '9110 10.1.1'});
must('continue-two', 'two requests with 100-continue on one connection', [expecting(1), {interim: 1}, 'a', {responses: 1}, expecting(1), (c) => c.until(() => c.text.split('100 Continue').length > 2 || c.complete() > 1, 2000), 'b'], [responseCount(2), originBody('a', 0), originBody('b', 1)], {rfc: '9110 10.1.1', responses: 2, origin: async (ex) => {
  ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
should('expect-unknown', 'an unknown expectation gets 417, or is passed on', get('Expect: something-else'), either(refused(417), originHas('Expect', 'something-else')), {rfc: '9110 10.1.1'});
should('expect-mixed', '100-continue beside an unknown expectation gets 417, or is passed on', head('POST {p} HTTP/1.1', kHost, 'Content-Length: 0', 'Expect: 100-continue, x'), either(refused(417), status(200)), {rfc: '9110 10.1.1'});

// other interim responses
must('early-hints', '103 reaches the client before the final response', get(), [fine(), interims(103)], {origin: [{body: true}, 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n', {pause: 20}, ok]});
must('early-hints-link', 'the fields of a 103 reach the client', get(), [fine(), response((x) => x.interim[0]?.head.get('link') !== '</a.css>; rel=preload' && 'no Link')], {origin: [{body: true}, 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n', ok]});
must('several', 'several interim responses reach the client in order', get(), [fine(), interims(102, 103, 103)], {origin: [{body: true}, 'HTTP/1.1 102 Processing\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <b>\r\n\r\n', {pause: 20}, ok]});
must('one-packet', 'interim and final response in one packet', get(), [fine(), interims(103)], {origin: `HTTP/1.1 103 Early Hints\r\n\r\n${ok}`});
must('unknown-1xx', 'an unknown 1xx is passed on', get(), [fine(), interims(199)], {origin: `HTTP/1.1 199 Text\r\n\r\n${ok}`});
must('unasked-100', 'a 100 that nobody asked for is passed on or dropped', get(), [fine(), either(interims(100), interims())], {origin: `${continue100}${ok}`});
must('1.0-none', 'an HTTP/1.0 client gets no interim response', head('GET {p} HTTP/1.0', kHost), [status(200), clientBody('ok'), interims()], {origin: `HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${ok}`, ends: true});
must('1.0-no-100', 'an HTTP/1.0 client gets no 100', head('POST {p} HTTP/1.0', kHost, 'Content-Length: 1') + 'a', [status(200), interims()], {origin: `${continue100}${ok}`, ends: true});
must('103-then-head', 'an interim response before the answer to HEAD', head('HEAD {p} HTTP/1.1', kHost), [status(200), interims(103), bodyless], {methods: ['HEAD'], origin: `HTTP/1.1 103 Early Hints\r\n\r\n${answer(['Content-Length: 5'])}`});
must('103-then-204', 'an interim response before a 204', get(), [status(204), interims(103)], {origin: `HTTP/1.1 103 Early Hints\r\n\r\n${answer([], '', '204 No Content')}`});
must('103-then-close', 'an interim response and then nothing gives 502', get(), status(502), {origin: [{body: true}, 'HTTP/1.1 103 Early Hints\r\n\r\n', {pause: 30}, {end: true}], rfc: '9110 15.6.3'});
secure('1xx-length', 'Content-Length in an interim response frames nothing', get(), either([fine(), response((x) => x.interim.some((i) => i.head.has('content-length') || i.head.has('transfer-encoding')) && 'framing fields in a 1xx')], status(502)), {origin: `HTTP/1.1 103 Early Hints\r\nContent-Length: 10\r\n\r\n${ok}`, rfc: '9112 6.3'});
must('1xx-hop', 'hop-by-hop fields of an interim response stay behind', get(), [fine(), response((x) => x.interim.some((i) => i.head.has('x-hop') || i.head.has('keep-alive')) && 'they reached the client')], {origin: `HTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\n\r\n${ok}`, rfc: '9110 7.6.1'});
must('pipelined', 'interim responses of pipelined requests stay with their own', get() + get(), [clientBody('ok', 0), clientBody('ok', 1), (r) => r.responses.some((x) => x.interim.length !== 1) && 'misplaced'], {responses: 2, origin: `HTTP/1.1 103 Early Hints\r\n\r\n${ok}`});
should('many', '50 interim responses', get(), [fine(), (r) => r.responses[0].interim.length !== 50 && `${r.responses[0].interim.length} of them`], {origin: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50) + ok});

// Upgrade
const upgrade = get('Connection: Upgrade', 'Upgrade: echo/1', 'Sec-WebSocket-Version: 13');
const websocket = get('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
const echo = async (ex) => {
  ex.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ' + (ex.head.get('upgrade') ?? 'none') + '\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello');
  ex.takeover();
  if (!(await ex.until(() => ex.tunnel.includes('ping')))) return;
  ex.write('pong');
  await ex.until(() => ex.tunnel.includes('bye'));
  ex.end();
};
const up = {rfc: '9110 7.8', origin: echo};
must('upgrade-head', 'Upgrade and Connection: Upgrade reach the origin for a websocket', [websocket, {responses: 1}], [status(101), originHas('Upgrade', 'websocket'), request((ex) => !ex.head.list('connection').includes('upgrade') && 'no Connection: Upgrade')], up);
must('upgrade-websocket-fields', 'the Sec-WebSocket fields reach the origin', [websocket, {responses: 1}], [status(101), originHas('Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='), originHas('Sec-WebSocket-Version', '13'), clientHas('Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')], up);
must('upgrade-101', 'the 101 reaches the client with Upgrade and Connection: Upgrade', [websocket, {responses: 1}], [status(101), clientHas('Upgrade', 'websocket'), clientHas('Connection', /upgrade/i)], up);
must('upgrade-early-bytes', 'bytes after the 101 reach the client', [websocket, {sees: 'hello'}], [status(101), (r) => !r.text.endsWith('\r\n\r\nhello') && 'no hello'], up);
must('upgrade-tunnel', 'bytes go both ways', [websocket, {responses: 1}, 'ping', {sees: 'pong'}], [status(101), (r) => !r.text.endsWith('hellopong') && 'no pong'], up);
must('upgrade-binary', 'any bytes go through the tunnel', [websocket, {responses: 1}, '\0\r\n\r\n\xffGET / HTTP/1.1\r\n\r\nping', {sees: 'pong'}], [status(101), request((ex) => ex.tunnel !== '\0\r\n\r\n\xffGET / HTTP/1.1\r\n\r\nping' && 'changed')], up);
must('upgrade-bytes-with-head', 'bytes of the client that come with the head reach the origin after the 101', [websocket + 'ping', {sees: 'pong'}], either([status(101), (r) => !r.text.endsWith('pong') && 'no pong'], refused()), up);
must('upgrade-origin-closes', 'when the origin closes the tunnel the client sees it', [websocket, {responses: 1}, 'ping', {sees: 'pong'}, 'bye'], [status(101), closes], up);
must('upgrade-client-closes', 'when the client closes the tunnel the origin sees it', [websocket, {responses: 1}, 'ping', {sees: 'pong'}, {reset: true}, (c, {record}) => new Promise((resolve) => {
  const until = Date.now() + 2000;
  const look = () => (record.requests[0]?.socket.destroyed || record.requests[0]?.sawEnd || Date.now() > until ? resolve() : setTimeout(look, 10));
  look();
})], request((ex) => !ex.socket.destroyed && !ex.sawEnd && 'the origin still holds it'), {...up, origin: async (ex) => {
  ex.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  ex.takeover();
  if (await ex.until(() => ex.tunnel.includes('ping'))) ex.write('pong');
}});
must('upgrade-refused-200', 'an origin may answer an upgrade with 200', [websocket], [status(200), clientBody('ok')], {rfc: '9110 7.8'});
must('upgrade-refused-426', '426 keeps its Upgrade', [get()], [status(426), clientHas('Upgrade', 'foo')], {rfc: '9110 15.5.22', origin: answer(['Content-Length: 0', 'Upgrade: foo', 'Connection: Upgrade'], '', '426 Upgrade Required')});
must('upgrade-refused-next', 'after a refused upgrade the connection goes on', [websocket, {responses: 1}, get()], [statusOf(0, 403), either([statusOf(1, 200)], (r) => (r.closed ? undefined : 'not answered'))], {rfc: '9110 7.8', responses: 2, origin: {each: [answer(['Content-Length: 0'], '', '403 Forbidden'), ok]}});
secure('upgrade-refused-bytes', 'bytes sent after a refused upgrade are requests and nothing else', [websocket + kSmuggled], (r) => {
  const second = r.origin[1];
  return second && !second.head.has('via') && !second.head.has('x-forwarded-for') && 'bytes were tunnelled after the refusal';
}, {rfc: '9110 7.8', settle: 150, origin: {each: [answer(['Content-Length: 0'], '', '403 Forbidden'), ok]}});
secure('upgrade-unasked', 'a 101 that nobody asked for is no tunnel', get(), either(status(502), [(r) => r.responses[0]?.status === 101 && 'a 101 reached the client']), {rfc: '9110 15.2.2', origin: [{body: true}, 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', {pause: 40}, {end: true}]});
must('upgrade-1.0', 'Upgrade in HTTP/1.0 is ignored', head('GET {p} HTTP/1.0', kHost, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='), either([status(200), (r) => r.origin[0]?.head.list('connection').includes('upgrade') && 'passed on'], refused()), {rfc: '9110 7.8', ends: true});
must('upgrade-without-connection', 'Upgrade that Connection does not name is no upgrade', get('Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='), [status(200, 400, 426), either(reaches(0), request((ex) => ex.head.list('connection').includes('upgrade') && 'passed on as one'))], {rfc: '9110 7.8'});
should('upgrade-other', 'an upgrade to another protocol is passed on, or goes on as plain HTTP', [upgrade], status(101, 200), {rfc: '9110 7.8', origin: async (ex) => (ex.head.has('upgrade') ? echo(ex) : ex.write(ok))});
should('upgrade-case', 'connection: UPGRADE, upgrade: WebSocket', [get('connection: keep-alive, UPGRADE', 'upgrade: WebSocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='), {responses: 1}], status(101), up);
must('upgrade-post', 'an upgrade on a POST keeps its body', post(['Connection: Upgrade', 'Upgrade: foo', 'Content-Length: 5'], 'hello'), [status(200), originBody('hello')], {rfc: '9110 7.8'});
must('upgrade-minimal', 'an upgrade without Sec-WebSocket fields is tunnelled, refused, or goes on as plain HTTP', [get('Connection: Upgrade', 'Upgrade: websocket'), {responses: 1}], either(status(101, 200), refused('4xx')), {rfc: '9110 7.8', origin: async (ex) => (ex.head.has('upgrade') ? echo(ex) : ex.write(ok))});
must('upgrade-list', 'Upgrade: foo, websocket', [get('Connection: Upgrade', 'Upgrade: foo/1, websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='), {responses: 1}], status(101, 200), {rfc: '9110 7.8', origin: async (ex) => (ex.head.has('upgrade') ? echo(ex) : ex.write(ok))});
must('upgrade-chunked-body', 'an upgrade with a chunked body keeps its body', post(['Connection: Upgrade', 'Upgrade: websocket', 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'), either([status(200), originBody('hello')], refused()), {rfc: '9110 7.8'});
secure('upgrade-body-smuggle', 'the body of an upgrade request is not taken for bytes of a tunnel', head('GET {p} HTTP/1.1', kHost, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Content-Length: 60') + kSmuggled.padEnd(60, 'x'), noSmuggling, {rfc: '9110 7.8', settle: 120});
must('upgrade-101-then-http', 'an HTTP message after a 101 is not read as one', [websocket, {responses: 1}, kSmuggled + 'ping', {sees: 'pong'}], [status(101), request((ex) => !ex.tunnel.startsWith('GET /') && 'changed'), reaches(1)], up);
should('continue-then-103', '103 after 100', expecting(1) + 'a', [status(200), response((x) => x.interim.at(-1)?.status !== 103 && 'no 103')], {origin: async (ex) => {
  ex.write(continue100);
  if (!(await ex.body())) return;
  ex.write(`HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${ok}`);
}});
must('continue-417', 'a 417 of the origin reaches the client', [expecting(5), {responses: 1}], [status(417), clientBody('no')], {rfc: '9110 15.5.18', origin: [answer(['Content-Length: 2', 'Connection: close'], 'no', '417 Expectation Failed'), {pause: 30}, {end: true}]});
must('continue-large', 'a large body after a 100', [expecting(500000), {interim: 1}, 'x'.repeat(500000)], [status(200), request((ex) => ex.bodyText.length !== 500000 && `${ex.bodyText.length} bytes`)], {rfc: '9110 10.1.1', deadline: 15000, origin: async (ex) => {
  ex.write(continue100);
  if (await ex.body()) ex.write(ok);
}});
must('continue-duplicate', 'two Expect lines of 100-continue', head('POST {p} HTTP/1.1', kHost, 'Content-Length: 1', 'Expect: 100-continue', 'Expect: 100-continue') + 'a', status(200, 400, 417), {rfc: '9110 10.1.1'});
should('1xx-then-garbage', 'an interim response and then garbage never looks like an answer', get(), either(status(502), (r) => (r.closed ? undefined : 'open')), {origin: [{body: true}, 'HTTP/1.1 103 Early Hints\r\n\r\ngarbage\r\n\r\n', {pause: 30}, {end: true}], ends: true});
