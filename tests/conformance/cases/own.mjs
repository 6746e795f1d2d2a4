// Responses that the proxy makes itself (RFC 9110 6.6.1, 9.3.2, 15.5; RFC 9112 9.6).
import {bodyless, clientHas, clientLacks, closes, either, nothingAfter, originHas, reaches, refused, response, status, statusOf, fine, originBody} from '../lib/expect.mjs';
import {answer, chunkedPost, get, head, kHost, post, suite} from './make.mjs';

const {cases, must, should, secure, may} = suite('own', '9110 15');
export default cases;

const kDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;
const whole = response((x) => (!x.complete && 'not complete') || (x.error && x.error));

const kinds = [
  ['400', [400], get('X A: b')], ['400-host', [400], head('GET {p} HTTP/1.1')], ['414', [414, 400], head(`GET {p}/${'a'.repeat(100000)} HTTP/1.1`, kHost)], ['431', [431, 400, 413], get(`X-A: ${'v'.repeat(200000)}`)],
  ['501', [501, 400, 422], post(['Transfer-Encoding: foo'])], ['505', [505, 400], head('GET {p} HTTP/3.0', kHost)], ['connect', [405, 400, 501], head('CONNECT h.test:80 HTTP/1.1', 'Host: h.test:80', 'X-Case: {t}')], ['trace', [405, 501, 200], head('TRACE {p} HTTP/1.1', kHost, 'Max-Forwards: 0')],
];
for (const [name, codes, send] of kinds) {
  must(`${name}-date`, `a response of the proxy itself (${name}) has a Date`, send, [status(...codes), clientHas('Date', kDate)], {rfc: '9110 6.6.1'});
  must(`${name}-framed`, `a response of the proxy itself (${name}) is a whole message`, send, [status(...codes), whole, response((x) => x.version !== '1.1' && `HTTP/${x.version}`), nothingAfter], {rfc: '9112 6', ends: 300});
  must(`${name}-one-framing`, `a response of the proxy itself (${name}) has one framing`, send, [status(...codes), response((x) => x.head.has('content-length') && x.head.has('transfer-encoding') && 'both lengths')], {rfc: '9112 6.2'});
}
for (const [name, codes, send] of [
  ['bad-field', [400], head('HEAD {p} HTTP/1.1', kHost, 'X A: b')], ['no-host', [400], head('HEAD {p} HTTP/1.1')], ['two-hosts', [400], head('HEAD {p} HTTP/1.1', kHost, kHost)], ['bad-length', [400], head('HEAD {p} HTTP/1.1', kHost, 'Content-Length: x')],
  ['too-long', [414, 400], head(`HEAD {p}/${'a'.repeat(100000)} HTTP/1.1`, kHost)], ['coding', [501, 400, 422], head('HEAD {p} HTTP/1.1', kHost, 'Transfer-Encoding: foo')],
]) {
  must(`head-${name}`, `a HEAD that is refused (${name}) gets no body`, send, [status(...codes), bodyless], {rfc: '9110 9.3.2', methods: ['HEAD'], ends: 300});
}
must('head-502', 'a HEAD that fails upstream gets no body', head('HEAD {p} HTTP/1.1', kHost), [status(502), bodyless], {rfc: '9110 9.3.2', methods: ['HEAD'], origin: [{body: true}, {end: true}], settle: 100});
must('head-502-next', 'after a 502 to HEAD the next request is answered', head('HEAD {p} HTTP/1.1', kHost) + get(), [statusOf(0, 502), either(statusOf(1, 200), closes)], {rfc: '9110 9.3.2', methods: ['HEAD', 'GET'], responses: 2, origin: {each: [[{body: true}, {end: true}], answer(['Content-Length: 2'], 'ok')]}});
must('405-allow-connect', 'a 405 of the proxy itself has Allow', kinds[6][2], either([status(405), clientHas('Allow', /GET/)], status(400, 501)), {rfc: '9110 15.5.6'});
must('405-allow-trace', 'a 405 to TRACE has Allow', head('TRACE {p} HTTP/1.1', kHost), either([status(405), clientHas('Allow', /GET/), response((x) => /TRACE/.test(x.head.get('allow')) && 'Allow names TRACE')], status(200, 400, 501)), {rfc: '9110 15.5.6'});
must('502-date', 'a 502 has a Date', get(), [status(502), clientHas('Date', kDate)], {rfc: '9110 6.6.1', origin: [{body: true}, {end: true}]});
must('502-framed', 'a 502 is a whole message and the connection goes on or is closed', get() + get(), [statusOf(0, 502), whole, either(statusOf(1, 200), closes)], {rfc: '9112 6', responses: 2, origin: {each: [[{body: true}, {reset: true}], answer(['Content-Length: 2'], 'ok')]}});
must('502-closed-upstream', 'after garbage the upstream connection is closed', get(), [status(502), (r) => r.origin[0] && !r.origin[0].socket.destroyed && !r.origin[0].sawEnd && 'it is still open'], {rfc: '9112 6.3', settle: 150, origin: ['garbage\r\n\r\n', {hold: true}]});
must('bad-length-closed-upstream', 'after an invalid Content-Length the upstream connection is closed', get(), [status(502), (r) => r.origin[0] && !r.origin[0].socket.destroyed && !r.origin[0].sawEnd && 'it is still open'], {rfc: '9112 6.3', settle: 150, origin: [{body: true}, answer(['Content-Length: 2', 'Content-Length: 3'], 'ok'), {hold: true}]});
must('bad-chunk-closed-upstream', 'after a bad chunk the upstream connection is closed', get(), (r) => r.origin[0] && !r.origin[0].socket.destroyed && !r.origin[0].sawEnd && 'it is still open', {rfc: '9112 7.1', until: (c) => c.closed, ends: 500, origin: [{body: true}, answer(['Transfer-Encoding: chunked'], 'zz\r\n'), {hold: true}]});
must('options-mf-framed', 'the answer to OPTIONS with Max-Forwards: 0 is a whole message with a Date', head('OPTIONS {p} HTTP/1.1', kHost, 'Max-Forwards: 0'), [reaches(0), whole, clientHas('Date', kDate)], {rfc: '9110 6.6.1'});
must('options-mf-next', 'after OPTIONS with Max-Forwards: 0 the connection serves the next request', head('OPTIONS {p} HTTP/1.1', kHost, 'Max-Forwards: 0') + get(), [statusOf(1, 200), reaches(1)], {rfc: '9110 7.6.2', responses: 2});
must('options-mf-body', 'the body of OPTIONS with Max-Forwards: 0 is not taken for a request', head('OPTIONS {p} HTTP/1.1', kHost, 'Max-Forwards: 0', 'Content-Length: 5') + 'hello' + get(), either([statusOf(1, 200), reaches(1)], [closes, reaches(0)]), {rfc: '9110 7.6.2', responses: 2});
must('options-mf-1.0', 'OPTIONS with Max-Forwards: 0 in HTTP/1.0', head('OPTIONS {p} HTTP/1.0', kHost, 'Max-Forwards: 0'), [reaches(0), closes, response((x) => x.head.has('transfer-encoding') && 'chunked')], {rfc: '9110 7.6.2'});
must('options-mf-close', 'OPTIONS with Max-Forwards: 0 and Connection: close', head('OPTIONS {p} HTTP/1.1', kHost, 'Max-Forwards: 0', 'Connection: close'), [reaches(0), closes, clientHas('Connection', /close/i)], {rfc: '9112 9.6'});
for (const value of ['x', '-1', '1.5', '', '99999999999999999999', '1 2', '+1']) {
  should(`options-mf-bad-${value || 'empty'}`, `OPTIONS with Max-Forwards: ${JSON.stringify(value)} is refused, answered or passed on`, head('OPTIONS {p} HTTP/1.1', kHost, `Max-Forwards: ${value}`), either(refused(), status('2xx', '4xx')), {rfc: '9110 7.6.2'});
}
should('options-mf-two', 'two Max-Forwards do not count up', head('OPTIONS {p} HTTP/1.1', kHost, 'Max-Forwards: 0', 'Max-Forwards: 5'), either(reaches(0), refused()), {rfc: '9110 7.6.2'});
must('close-after-400', 'a 400 announces the close', get('X A: b'), [status(400), clientHas('Connection', /close/i), closes], {rfc: '9112 9.6'});
must('400-pipelined-body', 'a 400 to a request with a body closes', post(['Content-Length: 5', 'X A: b'], 'hello') + get(), [status(400), reaches(0), closes], {rfc: '9112 9.6', security: true});
must('large-refused', 'a client that is still sending when it is refused can read the answer', [post(['Content-Length: 3000000', 'X A: b'], 'x'.repeat(3000000))], [status(400), closes], {rfc: '9112 9.6', deadline: 8000});
must('1.0-refused', 'a refused HTTP/1.0 request', head('GET {p} HTTP/1.0', kHost, 'X A: b'), [status(400), closes, clientLacks('transfer-encoding')], {rfc: '9112 6.1'});
must('http-1.0-502', 'an HTTP/1.0 client gets a 502 it can read', head('GET {p} HTTP/1.0', kHost), [status(502), clientLacks('transfer-encoding'), closes], {rfc: '9112 6.1', origin: [{body: true}, {end: true}]});

// an upload that is refused in the middle
secure('bad-chunk-next', 'a bad chunk after a whole answer ends the connection', [chunkedPost('5\r\nhello\r\n'), {responses: 1}, 'zz\r\n\r\n' + get()], [closes, (r) => r.origin.length > 1 && 'a second request'], {rfc: '9112 7.1', origin: [answer(['Content-Length: 2'], 'ok'), {hold: true}]});
must('bad-chunk-answer', 'a bad chunk before any answer gets 400 or a closed connection', [chunkedPost('5\r\nhello\r\n'), {pause: 60}, 'zz\r\n\r\n'], either([statusOf(0, 400), closes], (r) => (r.closed && !r.responses.length ? undefined : 'neither')), {rfc: '9112 7.1', ends: true});

// what 1.0 clients may not get passed on
must('1.0-expect-dropped', 'Expect of an HTTP/1.0 client is not passed on', head('POST {p} HTTP/1.0', kHost, 'Content-Length: 1', 'Expect: 100-continue') + 'a', [status(200), (r) => r.origin[0]?.head.has('expect') && 'it is'], {rfc: '9110 10.1.1'});
must('1.0-te-dropped', 'TE of an HTTP/1.0 client', head('GET {p} HTTP/1.0', kHost, 'TE: trailers', 'Connection: TE'), [status(200), originHas('Via', /1\.0/)], {rfc: '9110 10.1.4'});
must('304-te', 'a 304 that says chunked has no body', get('If-None-Match: "x"') + get(), [statusOf(0, 304), statusOf(1, 200)], {rfc: '9112 6.3', responses: 2, alone: true, origin: {each: [answer(['Transfer-Encoding: chunked', 'ETag: "x"'], '', '304 Not Modified'), answer(['Content-Length: 2'], 'ok')]}});
must('head-both', 'a HEAD response with both lengths has no body', head('HEAD {p} HTTP/1.1', kHost), [status(200, 502), bodyless], {rfc: '9110 9.3.2', methods: ['HEAD'], origin: answer(['Content-Length: 5', 'Transfer-Encoding: chunked'])});
must('head-length-zero', 'a HEAD response with Content-Length: 0 keeps it or drops it', head('HEAD {p} HTTP/1.1', kHost), [status(200), response((x) => x.head.has('content-length') && x.head.get('content-length') !== '0' && 'changed'), bodyless], {rfc: '9110 8.6', methods: ['HEAD'], origin: answer(['Content-Length: 0'])});
should('get-205-body', '205 with a body', get(), status(205, 502), {rfc: '9110 15.3.6', origin: answer(['Content-Length: 2'], 'ok', '205 Reset Content')});
may('via-response', 'Via in responses is optional', get(), fine());
must('post-303', 'a redirect is passed to the client, not followed', post(['Content-Length: 1'], 'a'), [status(303), reaches(1), originBody('a')], {rfc: '9110 15.4', origin: answer(['Content-Length: 0', 'Location: /else'], '', '303 See Other')});
must('cache-none', 'two equal requests reach the origin twice', [get(), {responses: 1}, get()], reaches(2), {rfc: '9111 4', responses: 2, origin: answer(['Content-Length: 2', 'Cache-Control: no-store'], 'ok')});
