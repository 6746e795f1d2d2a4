// Persistence, pipelining and hop-by-hop fields (RFC 9112 9; RFC 9110 7.6).
import {clientBody, clientHas, clientLacks, closes, either, fine, noSmuggling, originBody, originHas, originLacks, reaches, refused, request, response, responseCount, status, statusOf, staysOpen, nothingAfter} from '../lib/expect.mjs';
import {answer, chunkedPost, get, head, kHost, post, suite} from './make.mjs';

const {cases, must, should, secure} = suite('connection', '9112 9.3');
export default cases;

const path = (n, ...headers) => head(`GET {p}/${n} HTTP/1.1`, kHost, ...headers);
// Answers /a before /b only if asked to, and says which one it answers.
const named = async (ex) => {
  await ex.body();
  const body = ex.target.split('/').pop();
  ex.write(answer([`Content-Length: ${body.length}`], body));
};

// persistence
must('1.1-default', 'HTTP/1.1 stays open by default', get(), [fine(), staysOpen]);
must('1.1-two', 'two requests on one connection', [get(), {responses: 1}, get()], [statusOf(0, 200), statusOf(1, 200), reaches(2)], {responses: 2});
must('1.1-many', 'twenty requests on one connection', Array.from({length: 20}, (_, i) => [path(i), {responses: i + 1}]).flat(), [responseCount(20), reaches(20)], {responses: 20, origin: named});
must('close-request', 'Connection: close ends the connection after the response', get('Connection: close'), [status(200), clientBody('ok'), closes], {rfc: '9112 9.6'});
must('close-announced', 'a response before the close says Connection: close', get('Connection: close'), [clientHas('Connection', /close/i), closes], {rfc: '9112 9.6'});
must('close-case', 'Connection: CLOSE', get('Connection: CLOSE'), [status(200), closes], {rfc: '9110 7.6.1'});
must('close-list', 'close among other options', get('Connection: x-a, close'), [status(200), closes], {rfc: '9110 7.6.1'});
must('close-second-line', 'close on a second Connection line', get('Connection: x-a', 'Connection: close'), [status(200), closes], {rfc: '9110 7.6.1'});
must('close-wins', 'close wins over keep-alive', get('Connection: keep-alive, close'), [status(200), closes]);
must('close-not-substring', 'Connection: closed is not close', get('Connection: closed'), [status(200), staysOpen]);
secure('after-close', 'a request after Connection: close is not served', get('Connection: close') + path('smuggled'), [status(200), noSmuggling, closes, responseCount(1)], {rfc: '9112 9.6'});
must('close-post', 'Connection: close with a body', post(['Connection: close', 'Content-Length: 5'], 'hello'), [status(200), originBody('hello'), closes]);
must('close-response', 'Connection: close of the origin does not reach the client as a command for its own connection, or is obeyed', get(), [status(200), clientBody('ok'), either(staysOpen, closes)], {origin: answer(['Content-Length: 2', 'Connection: close'], 'ok')});
must('1.0-default', 'HTTP/1.0 closes by default', head('GET {p} HTTP/1.0', kHost), [status(200), closes]);
should('1.0-keep-alive', 'HTTP/1.0 with keep-alive: kept and announced, or closed', head('GET {p} HTTP/1.0', kHost, 'Connection: keep-alive'), [status(200), clientBody('ok'), either([staysOpen, clientHas('Connection', /keep-alive/i)], closes)], {ends: 300});
must('1.0-keep-alive-close', 'HTTP/1.0 with keep-alive and close closes', head('GET {p} HTTP/1.0', kHost, 'Connection: keep-alive, close'), [status(200), closes]);
must('1.0-no-chunked', 'an HTTP/1.0 client never gets chunked', head('GET {p} HTTP/1.0', kHost), [status(200), clientLacks('transfer-encoding'), clientBody('hello'), closes], {rfc: '9112 6.1', origin: answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n')});
must('1.0-keep-alive-chunked', 'an HTTP/1.0 client with keep-alive gets a chunked response de-chunked', head('GET {p} HTTP/1.0', kHost, 'Connection: keep-alive'), [status(200), clientLacks('transfer-encoding'), clientBody('hello')], {rfc: '9112 6.1', origin: answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'), until: (c) => c.closed || c.text.includes('hello'), ends: 600});
must('1.0-post', 'an HTTP/1.0 POST', head('POST {p} HTTP/1.0', kHost, 'Content-Length: 5') + 'hello', [status(200), originBody('hello'), closes]);
must('half-close', 'a client that has closed its direction still gets its answer', [get(), {end: true}], either([status(200), clientBody('ok')], responseCount(0)), {rfc: '9112 9.6'});
should('half-close-answer', 'a client that has closed its direction still gets its answer', [get(), {end: true}], [status(200), clientBody('ok'), closes], {rfc: '9112 9.6', origin: [{body: true}, {pause: 60}, answer(['Content-Length: 2'], 'ok')]});
should('half-close-post', 'a client that closes its direction after its body still gets its answer', [post(['Content-Length: 5'], 'hello'), {end: true}], [status(200), clientBody('ok'), originBody('hello'), closes], {rfc: '9112 9.6', origin: [{body: true}, {pause: 60}, answer(['Content-Length: 2'], 'ok')]});

// pipelining
must('pipeline-2', 'two pipelined requests are answered in order', path('a') + path('b'), [clientBody('a', 0), clientBody('b', 1), reaches(2)], {rfc: '9112 9.3.2', responses: 2, origin: named});
must('pipeline-10', 'ten pipelined requests are answered in order', Array.from({length: 10}, (_, i) => path(i)).join(''), (r) => r.responses.map((x) => x.body).join('') !== '0123456789' && `order is ${r.responses.map((x) => x.body)}`, {rfc: '9112 9.3.2', responses: 10, origin: named});
must('pipeline-slow-first', 'a slow first answer still comes first', path('slow') + path('fast'), [clientBody('slow', 0), clientBody('fast', 1)], {rfc: '9112 9.3.2', responses: 2, origin: async (ex) => {
  if (ex.target.endsWith('slow')) await new Promise((r) => setTimeout(r, 150));
  return named(ex);
}});
must('pipeline-body', 'pipelined requests with bodies', post(['Content-Length: 3'], 'abc') + chunkedPost('3\r\ndef\r\n0\r\n\r\n') + get(), [responseCount(3), originBody('abc', 0), originBody('def', 1)], {rfc: '9112 9.3.2', responses: 3});
must('pipeline-head', 'HEAD between GETs', path('a') + head('HEAD {p}/b HTTP/1.1', kHost) + path('c'), [clientBody('a', 0), clientBody('', 1), clientBody('c', 2)], {rfc: '9112 9.3.2', responses: 3, methods: ['GET', 'HEAD', 'GET'], origin: async (ex) => {
  if (ex.method === 'HEAD') ex.write(answer(['Content-Length: 1']));
  else await named(ex);
}});
must('pipeline-204', 'a 204 between others', path('a') + path('b') + path('c'), [clientBody('a', 0), statusOf(1, 204), clientBody('c', 2)], {rfc: '9112 9.3.2', responses: 3, origin: async (ex) => (ex.target.endsWith('b') ? ex.write(answer([], '', '204 No Content')) : named(ex))});
secure('pipeline-error', 'a bad request after a good one is refused after the answer to the good one', path('a') + 'GET  bad\r\n\r\n' + path('smuggled'), [clientBody('a', 0), either(statusOf(1, 400), responseCount(1)), closes, noSmuggling], {rfc: '9112 9.3.2', responses: 2, origin: named});
secure('pipeline-after-error', 'after a refused request nothing of the connection is served', get('X A: b') + path('smuggled'), [status(400), closes, noSmuggling], {rfc: '9112 9.3.2'});
must('pipeline-split', 'a second request whose head is split', [path('a') + 'GET {p}/b HT', {pause: 40}, 'TP/1.1\r\nHost: h.test\r\n\r\n'], [clientBody('a', 0), clientBody('b', 1)], {responses: 2, origin: named});
must('pipeline-post-serial', 'a request pipelined after a POST is not sent on before the POST is answered', post(['Content-Length: 1'], 'x') + path('b'), [statusOf(0, 200), clientBody('b', 1), (r) => r.origin[0]?.record.early && 'the second came before the first was answered'], {rfc: '9112 9.3.2', responses: 2, origin: async (ex) => {
  if (ex.method !== 'POST') return named(ex);
  await ex.body();
  await new Promise((r) => setTimeout(r, 80));
  ex.record.early = ex.record.requests.length > 1;
  ex.write(answer(['Content-Length: 2'], 'ok'));
}});

// hop-by-hop fields of requests
must('named-removed', 'a field named by Connection is removed', get('Connection: X-Hop', 'X-Hop: 1', 'X-End: 2'), [fine(), originLacks('x-hop'), originHas('X-End', '2')], {rfc: '9110 7.6.1'});
must('named-case', 'a field named by Connection in other case is removed', get('Connection: x-HOP', 'X-Hop: 1'), [fine(), originLacks('x-hop')], {rfc: '9110 7.6.1'});
must('named-list', 'all fields named by Connection are removed', get('Connection: keep-alive, X-A ,X-B', 'X-A: 1', 'X-B: 2', 'X-C: 3'), [fine(), originLacks('x-a', 'x-b'), originHas('X-C', '3')], {rfc: '9110 7.6.1'});
must('named-lines', 'fields named on several Connection lines are removed', get('Connection: X-A', 'X-A: 1', 'Connection: X-B', 'X-B: 2'), [fine(), originLacks('x-a', 'x-b')], {rfc: '9110 7.6.1'});
must('named-repeated', 'every line of a named field is removed', get('Connection: X-A', 'X-A: 1', 'X-A: 2'), [fine(), originLacks('x-a')], {rfc: '9110 7.6.1'});
must('named-before', 'a named field before Connection is removed', get('X-A: 1', 'Connection: X-A'), [fine(), originLacks('x-a')], {rfc: '9110 7.6.1'});
must('named-empty-elements', 'empty elements in Connection do no harm', get('Connection: ,, X-A ,,', 'X-A: 1'), [fine(), originLacks('x-a')], {rfc: '9110 5.6.1'});
must('connection-replaced', 'the Connection field of the client does not reach the origin', get('Connection: X-Hop', 'X-Hop: 1'), [fine(), request((ex) => ex.head.list('connection').includes('x-hop') && 'it did')], {rfc: '9110 7.6.1'});
must('named-missing', 'Connection may name a field that is not there', get('Connection: X-Nothing'), fine(), {rfc: '9110 7.6.1'});
secure('named-x-forwarded-for', 'Connection: X-Forwarded-For does not take away what the proxy says', get('Connection: X-Forwarded-For'), either(refused(), [status(200), originHas('X-Forwarded-For', /./)]), {rfc: '9110 7.6.1'});
for (const [name, value] of [['Keep-Alive', 'timeout=5, max=9'], ['Proxy-Connection', 'keep-alive'], ['TE', 'gzip'], ['Proxy-Authorization', 'Basic eDp5']]) {
  (name === 'Proxy-Authorization' ? should : must)(`removed-${name.toLowerCase()}`, `${name} is hop-by-hop`, get(`${name}: ${value}`, `Connection: ${name}`), [fine(), originLacks(name)], {rfc: '9110 7.6.1'});
  should(`removed-unnamed-${name.toLowerCase()}`, `${name} is removed even when Connection does not name it`, get(`${name}: ${value}`), [fine(), request((ex) => ex.head.all(name).includes(value) && `${name} reached the origin`)], {rfc: '9110 7.6.1'});
}
must('upgrade-removed', 'Upgrade without Connection: upgrade is not passed on as a wish', get('Upgrade: foo/2'), [fine(), request((ex) => ex.head.has('upgrade') && ex.head.list('connection').includes('upgrade') && 'it became an upgrade')], {rfc: '9110 7.8'});
must('te-trailers', 'TE: trailers goes on with Connection: TE or not at all', get('TE: trailers', 'Connection: TE'), [fine(), request((ex) => ex.head.has('te') && !ex.head.list('connection').includes('te') && 'TE without Connection: TE')], {rfc: '9110 10.1.4'});
must('te-other', 'TE: gzip is not passed on', get('TE: gzip, trailers;q=0.5', 'Connection: TE'), [fine(), request((ex) => ex.head.list('te').some((e) => e.startsWith('gzip')) && 'it was')], {rfc: '9110 10.1.4'});
should('h2c', 'an h2c upgrade is not passed on', get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'), either(refused(), request((ex) => ex.head.list('connection').includes('upgrade') && /h2c/.test(ex.head.get('upgrade') ?? '') && ex.head.has('http2-settings') && 'h2c with its settings reached the origin')), {rfc: '9110 7.8', ends: 200});
must('trailer-field', 'Trailer does no harm', chunkedPost('1\r\na\r\n0\r\nX-T: 1\r\n\r\n', 'Trailer: X-T'), [fine(), originBody('a')], {rfc: '9110 6.6.2'});

// Via
must('via-added', 'a gateway adds Via to requests', get(), [fine(), originHas('Via', /^(HTTP\/)?1\.1 \S+/)], {rfc: '9110 7.6.3'});
must('via-appended', 'Via is appended to, not replaced', get('Via: 1.0 fred'), [fine(), request((ex) => {
  const via = ex.head.list('via');
  return (via[0] !== '1.0 fred' || via.length < 2) && `Via is ${via}`;
})], {rfc: '9110 7.6.3'});
must('via-appended-last', 'our Via entry comes last', get('Via: 1.0 fred, 1.1 p.example'), [fine(), request((ex) => {
  const via = ex.head.list('via');
  return (via.length !== 3 || via[1] !== '1.1 p.example') && `Via is ${via}`;
})], {rfc: '9110 7.6.3'});
must('via-two-lines', 'two Via lines keep their order, ours last', get('Via: 1.0 a', 'Via: 1.1 b'), [fine(), request((ex) => {
  const via = ex.head.list('via');
  return (via.length !== 3 || via[0] !== '1.0 a' || via[1] !== '1.1 b') && `Via is ${via}`;
})], {rfc: '9110 7.6.3'});
should('via-version', 'Via names the version that was received', head('GET {p} HTTP/1.0', kHost), originHas('Via', /^(HTTP\/)?1\.0 /), {rfc: '9110 7.6.3'});
should('via-comment', 'a Via with a comment is kept', get('Via: 1.1 a (Apache/1.1, x)'), originHas('Via', /^1\.1 a \(Apache\/1\.1, x\)/), {rfc: '9110 7.6.3'});

// hop-by-hop fields of responses
const through = (...headers) => ({rfc: '9110 7.6.1', origin: answer(['Content-Length: 2', ...headers], 'ok')});
must('response-named', 'a response field named by Connection is removed', get(), [fine(), clientLacks('x-hop'), clientHas('X-End', '1')], through('Connection: X-Hop', 'X-Hop: 1', 'X-End: 1'));
must('response-named-list', 'response fields named by Connection are removed', get(), [fine(), clientLacks('x-a', 'x-b')], through('Connection: X-A, X-B', 'X-A: 1', 'X-B: 1'));
must('response-keep-alive', 'Keep-Alive of the origin does not reach the client', get(), [fine(), response((x) => x.head.get('keep-alive') === 'timeout=77' && 'it did')], through('Connection: keep-alive', 'Keep-Alive: timeout=77'));
should('response-proxy-connection', 'Proxy-Connection of the origin does not reach the client', get(), [fine(), clientLacks('proxy-connection')], through('Proxy-Connection: close'));
must('response-upgrade', 'Upgrade of a 200 does not reach the client as a hop-by-hop option', get(), [fine(), response((x) => x.head.has('upgrade') && !x.head.list('connection').includes('upgrade') && 'Upgrade without Connection: upgrade')], through('Upgrade: foo', 'Connection: Upgrade'));
must('response-te', 'Connection names what the client must not see', get(), [fine(), clientLacks('x-secret')], through('X-Secret: 1', 'Connection: close, x-secret'));
secure('response-connection-length', 'Connection: Content-Length in a response does not take the framing away', get(), either([status(200), clientBody('ok'), nothingAfter], status(502)), through('Connection: Content-Length'));
