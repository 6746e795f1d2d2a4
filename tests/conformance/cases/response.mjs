// What the origin answers and what the client gets: framing, broken messages, fields (RFC 9112 6, 8; RFC 9110 6 to 15).
import {bodyless, clientBody, clientFraming, clientHas, clientLacks, clientNever, closes, either, fine, incomplete, judge, nothingAfter, originHas, reaches, response, status, statusOf, staysOpen} from '../lib/expect.mjs';
import {answer, get, head, kHost, post, suite} from './make.mjs';

const {cases, must, should, secure} = suite('response', '9112 6.3');
export default cases;

const chunks = (...parts) => parts.map((p) => `${p.length.toString(16)}\r\n${p}\r\n`).join('') + '0\r\n\r\n';
const ok = (...headers) => answer(['Content-Length: 2', ...headers], 'ok');
const from = (origin, more = {}) => ({origin, ...more});

// framing
must('length', 'a response with Content-Length', get(), [fine('hello'), staysOpen], from(answer(['Content-Length: 5'], 'hello')));
must('length-0', 'an empty response', get(), [status(200), clientBody(''), nothingAfter], from(answer(['Content-Length: 0'])));
must('chunked', 'a chunked response', get(), [fine('hello world'), staysOpen], from(answer(['Transfer-Encoding: chunked'], chunks('hello', ' ', 'world'))));
must('chunked-extension', 'chunk extensions of the origin are ignored', get(), fine('hello'), from(answer(['Transfer-Encoding: chunked'], '5;a=b\r\nhello\r\n0\r\n\r\n'), {rfc: '9112 7.1.1'}));
must('chunked-upper', 'CHUNKED of the origin', get(), fine('hello'), from(answer(['Transfer-Encoding: CHUNKED'], chunks('hello'))));
must('chunked-hex-case', 'chunk sizes of the origin in any case', get(), fine('0123456789ab'), from(answer(['Transfer-Encoding: chunked'], 'C\r\n0123456789ab\r\n0\r\n\r\n')));
must('close', 'a response that ends with the connection', get(), [status(200), clientBody('hello')], from([answer([], 'hello'), {end: true}], {until: (c) => c.closed || c.complete() > 0}));
must('close-1.0', 'a HTTP/1.0 response that ends with the connection', get(), [status(200), clientBody('hello')], from([{body: true}, 'HTTP/1.0 200 OK\r\n\r\nhello', {end: true}], {until: (c) => c.closed || c.complete() > 0}));
must('close-empty', 'an empty response that ends with the connection', get(), [status(200), clientBody('')], from([{body: true}, answer([]), {end: true}], {until: (c) => c.closed || c.complete() > 0}));
must('chunked-large', 'a chunked response of 300 KB', get(), fine('x'.repeat(300000)), from(answer(['Transfer-Encoding: chunked'], chunks(...Array(30).fill('x'.repeat(10000)))), {deadline: 15000}));
must('length-large', 'a response of 1 MB', get(), fine('y'.repeat(1000000)), from(answer(['Content-Length: 1000000'], 'y'.repeat(1000000)), {deadline: 15000}));
must('binary', 'any bytes in a body', get(), fine(String.fromCharCode(...Array(256).keys())), from(answer(['Content-Length: 256'], String.fromCharCode(...Array(256).keys()))));
must('pieces', 'a response in pieces', get(), fine('hello'), from([{body: true}, 'HTTP/1.1 2', {pause: 15}, '00 OK\r\nContent-Le', {pause: 15}, 'ngth: 5\r\n', {pause: 15}, '\r', {pause: 15}, '\nhe', {pause: 15}, 'llo']));
must('chunked-pieces', 'a chunked response in pieces', get(), fine('hello'), from([{body: true}, answer(['Transfer-Encoding: chunked']), ...[...chunks('hel', 'lo')].flatMap((c) => [c, {pause: 1}])]));
must('chunked-not-twice', 'exactly one framing reaches the client', get(), [fine('hello'), response((x) => x.head.has('content-length') && x.head.has('transfer-encoding') && 'both lengths')], from(answer(['Transfer-Encoding: chunked'], chunks('hello')), {rfc: '9112 6.2'}));

// messages without a body, whatever the origin sends
must('head', 'a HEAD response has no body', head('HEAD {p} HTTP/1.1', kHost), [status(200), clientHas('Content-Length', '5'), bodyless], from(answer(['Content-Length: 5']), {methods: ['HEAD'], rfc: '9110 9.3.2'}));
must('head-next', 'after a HEAD response the next request is answered', head('HEAD {p} HTTP/1.1', kHost) + get(), [statusOf(0, 200), statusOf(1, 200), clientBody('ok', 1)], from({each: [answer(['Content-Length: 5']), ok()]}, {methods: ['HEAD', 'GET'], responses: 2, rfc: '9110 9.3.2'}));
must('head-chunked', 'a HEAD response that says chunked has no body', head('HEAD {p} HTTP/1.1', kHost), [status(200), bodyless], from(answer(['Transfer-Encoding: chunked']), {methods: ['HEAD'], rfc: '9110 9.3.2'}));
must('head-no-length', 'a HEAD response without a length ends at its head', head('HEAD {p} HTTP/1.1', kHost), [status(200), bodyless], from(answer(['X-A: b']), {methods: ['HEAD'], rfc: '9112 6.3'}));
must('head-no-length-open', 'a HEAD response without a length does not wait for the origin to close', head('HEAD {p} HTTP/1.1', kHost), [status(200), (r) => r.closed === 'rst' && 'reset'], from([answer(['X-A: b'])], {methods: ['HEAD'], rfc: '9112 6.3'}));
secure('head-body', 'a body after a HEAD response does not reach the client', head('HEAD {p} HTTP/1.1', kHost), [status(200), bodyless], from(answer(['Content-Length: 5'], 'hello'), {methods: ['HEAD'], rfc: '9110 9.3.2', settle: 150, alone: true}));
for (const [name, code, text] of [['204', 204, 'No Content'], ['304', 304, 'Not Modified']]) {
  must(name, `${code} has no body`, get(), [status(code), bodyless, staysOpen], from(answer(['ETag: "x"'], '', `${code} ${text}`), {rfc: '9112 6.3'}));
  secure(`${name}-body`, `a body after ${code} does not reach the client`, get(), [status(code), bodyless], from(answer(['ETag: "x"'], 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil', `${code} ${text}`), {rfc: '9112 6.3', settle: 150, alone: true}));
  must(`${name}-next`, `after ${code} the next request is answered`, get() + get(), [statusOf(0, code), statusOf(1, 200)], from({each: [answer([], '', `${code} ${text}`), ok()]}, {responses: 2, rfc: '9112 6.3'}));
}
must('204-no-te', '204 never has Transfer-Encoding', get(), [status(204), clientLacks('transfer-encoding'), bodyless], from(answer(['Transfer-Encoding: chunked'], '0\r\n\r\n', '204 No Content'), {rfc: '9112 6.1', settle: 120, alone: true}));
must('204-no-length', '204 never has Content-Length', get(), [status(204), clientLacks('content-length'), bodyless], from(answer(['Content-Length: 0'], '', '204 No Content'), {rfc: '9110 8.6'}));
should('304-length', '304 keeps the Content-Length of the representation', get('If-None-Match: "x"'), [status(304), either(clientHas('Content-Length', '12345'), clientLacks('content-length')), bodyless], from(answer(['Content-Length: 12345', 'ETag: "x"'], '', '304 Not Modified'), {rfc: '9110 8.6'}));
must('205', '205 passes', get(), [status(205), nothingAfter], from(answer(['Content-Length: 0'], '', '205 Reset Content'), {rfc: '9110 15.3.6'}));

// truncated
must('length-short', 'a body shorter than its length looks incomplete to the client', get(), incomplete, from([{body: true}, answer(['Content-Length: 10'], 'hello'), {end: true}], {until: (c) => c.closed, rfc: '9112 8', security: true}));
must('length-short-reset', 'a body cut by a reset looks incomplete', get(), incomplete, from([{body: true}, answer(['Content-Length: 10'], 'hello'), {pause: 50}, {reset: true}], {until: (c) => c.closed, rfc: '9112 8'}));
must('chunked-short', 'a chunked body without its last chunk looks incomplete', get(), incomplete, from([{body: true}, answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n'), {end: true}], {until: (c) => c.closed, rfc: '9112 8', security: true}));
must('chunked-cut', 'a chunk cut in the middle looks incomplete', get(), incomplete, from([{body: true}, answer(['Transfer-Encoding: chunked'], '9\r\nhello'), {end: true}], {until: (c) => c.closed, rfc: '9112 8'}));
must('chunked-no-final-crlf', 'a chunked body without its final empty line looks incomplete', get(), incomplete, from([{body: true}, answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n'), {pause: 30}, {end: true}], {until: (c) => c.closed, rfc: '9112 8'}));
must('chunked-reset', 'a chunked body cut by a reset looks incomplete', get(), incomplete, from([{body: true}, answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n'), {pause: 50}, {reset: true}], {until: (c) => c.closed, rfc: '9112 8'}));
should('close-reset', 'a close-delimited body cut by a reset looks incomplete', get(), either(incomplete, status(502)), from([{body: true}, answer([], 'hello'), {pause: 50}, {reset: true}], {until: (c) => c.closed, rfc: '9112 8'}));
must('chunked-short-1.0', 'a truncated chunked body looks incomplete to HTTP/1.0 too', head('GET {p} HTTP/1.0', kHost), (r) => r.closed !== 'rst' && r.responses[0]?.status === 200 && r.responses[0]?.framing === 'close' && 'a clean end', from([{body: true}, answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n'), {pause: 50}, {end: true}], {until: (c) => c.closed, ends: true, rfc: '9112 8'}));
cases.at(-1).level = 'SHOULD';
for (const [name, body] of [['size', 'xyz\r\nhello\r\n0\r\n\r\n'], ['negative', '-5\r\nhello\r\n0\r\n\r\n'], ['overflow', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'], ['no-crlf', '5\r\nhelloXX0\r\n\r\n'], ['0x', '0x5\r\nhello\r\n0\r\n\r\n'], ['space-size', ' 5\r\nhello\r\n0\r\n\r\n']]) {
  must(`chunked-bad-${name}`, `a bad chunk of the origin (${name}) never ends cleanly at the client`, get(), either(incomplete, status(502)), from([{body: true}, answer(['Transfer-Encoding: chunked'], '2\r\nab\r\n'), {pause: 40}, body, {pause: 200}, {end: true}], {until: (c) => c.closed, rfc: '9112 7.1', security: true}));
}

// broken heads
const bad = (id, what, origin, more = {}) => must(id, what, get(), [status(502)], from(origin, {rfc: '9110 15.6.3', ...more}));
const badOrSafe = (id, what, origin, safe, more = {}) => secure(id, what, get(), either(status(502), safe), from(origin, {rfc: '9112 6.3', ...more}));
bad('close-before-head', 'an origin that closes without a word gives 502', [{body: true}, {end: true}]);
bad('reset-before-head', 'an origin that resets without a word gives 502', [{body: true}, {reset: true}]);
bad('close-in-status-line', 'an origin that closes in the status line gives 502', [{body: true}, 'HTTP/1.1 20', {end: true}]);
bad('close-in-head', 'an origin that closes in the head gives 502', [{body: true}, 'HTTP/1.1 200 OK\r\nContent-Le', {end: true}]);
must('close-at-head-end', 'an origin that closes before the empty line gives 502', get(), status(502), from([{body: true}, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n', {end: true}], {rfc: '9112 8'}));
bad('garbage', 'garbage gives 502', [{body: true}, 'garbage garbage\r\n\r\n', {pause: 30}, {end: true}]);
bad('not-http', 'another protocol gives 502', [{body: true}, 'SSH-2.0-OpenSSH_9.2\r\n\r\n', {pause: 30}, {end: true}]);
for (const [name, line] of [['status-two-digits', 'HTTP/1.1 20 OK'], ['status-four-digits', 'HTTP/1.1 2000 OK'], ['status-letters', 'HTTP/1.1 abc OK'], ['status-none', 'HTTP/1.1'], ['status-negative', 'HTTP/1.1 -20 OK'], ['version-2', 'HTTP/2.0 200 OK'], ['version-lower', 'http/1.1 200 OK'], ['version-letters', 'HTTP/x.y 200 OK'], ['two-spaces', 'HTTP/1.1  200 OK']]) {
  const lenient = ['version-2', 'two-spaces', 'status-two-digits'].includes(name);
  must(`bad-${name}`, `the status line ${line} gives 502`, get(), lenient ? either(status(502), status(200)) : status(502), from([{body: true}, `${line}\r\nContent-Length: 2\r\n\r\nok`, {pause: 30}, {end: true}], {rfc: '9112 4'}));
}
must('status-no-reason', 'a status line without a reason', get(), fine(), from('HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', {rfc: '9112 4'}));
must('status-no-reason-space', 'a status line without a reason nor the space before it', get(), either(fine(), status(502)), from('HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', {rfc: '9112 4'}));
must('status-own-reason', 'any reason phrase', get(), fine(), from('HTTP/1.1 200 Everything: is fine!\r\nContent-Length: 2\r\n\r\nok', {rfc: '9112 4'}));
badOrSafe('both-lengths', 'both lengths of the origin: chunked alone, or 502', answer(['Content-Length: 5', 'Transfer-Encoding: chunked'], chunks('hello')), [status(200), clientBody('hello'), clientLacks('content-length')], {rfc: '9112 6.1'});
badOrSafe('both-lengths-close', 'both lengths of the origin: the upstream connection is not used again', answer(['Content-Length: 50', 'Transfer-Encoding: chunked'], chunks('hello')), [status(200), clientBody('hello')], {rfc: '9112 6.1'});
for (const [name, headers, body] of [['two-lengths', ['Content-Length: 2', 'Content-Length: 3'], 'okk'], ['length-list', ['Content-Length: 2, 3'], 'okk'], ['length-negative', ['Content-Length: -2'], 'ok'], ['length-plus', ['Content-Length: +2'], 'ok'], ['length-hex', ['Content-Length: 0x2'], 'ok'], ['length-words', ['Content-Length: two'], 'ok'], ['length-overflow', ['Content-Length: 99999999999999999999999'], 'ok'], ['length-space', ['Content-Length: 2 2'], 'ok'], ['length-empty', ['Content-Length:'], 'ok'], ['length-decimal', ['Content-Length: 2.0'], 'ok']]) {
  secure(`bad-${name}`, `${headers.join(' | ')} of the origin gives 502`, get(), status(502), from([{body: true}, answer(headers, body), {pause: 60}, {end: true}], {rfc: '9112 6.3'}));
}
badOrSafe('two-equal-lengths', 'two equal Content-Length of the origin: made one, or 502', answer(['Content-Length: 2', 'Content-Length: 2'], 'ok'), [fine(), clientHas('Content-Length', '2')], {rfc: '9110 8.6'});
badOrSafe('length-list-equal', 'a list of equal lengths of the origin: made one, or 502', answer(['Content-Length: 2, 2'], 'ok'), [fine(), clientHas('Content-Length', '2')], {rfc: '9110 8.6'});
badOrSafe('te-unknown', 'an unknown coding of the origin: read to the close, or 502', [{body: true}, answer(['Transfer-Encoding: foo'], 'ok'), {end: true}], [status(200)], {rfc: '9112 6.3', until: (c) => c.closed || c.complete() > 0});
badOrSafe('te-not-last', 'chunked not last from the origin: read to the close, or 502', [{body: true}, answer(['Transfer-Encoding: chunked, foo'], chunks('ok')), {end: true}], [status(200)], {rfc: '9112 6.3', until: (c) => c.closed || c.complete() > 0});
badOrSafe('te-twice', 'chunked twice from the origin', [{body: true}, answer(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], chunks('ok')), {end: true}], [status(200)], {rfc: '9112 6.1', until: (c) => c.closed || c.complete() > 0});
badOrSafe('te-1.0', 'Transfer-Encoding in an HTTP/1.0 response is faulty framing: the connection is not used again', [{body: true}, 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + chunks('ok'), {end: true}], [status(200)], {rfc: '9112 6.1', until: (c) => c.closed || c.complete() > 0});
secure('space-before-colon', 'white space before a colon of the origin is removed, or 502', get(), either(status(502), [status(200), (r) => /X-A[ \t]+:/i.test(r.text) && 'it reached the client']), from(ok('X-A : b'), {rfc: '9112 5.1'}));
secure('space-before-colon-length', 'Content-Length with a space before its colon from the origin', get(), either(status(502), fine()), from([{body: true}, 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok', {end: true}], {rfc: '9112 5.1', until: (c) => c.closed || c.complete() > 0}));
secure('fold', 'obs-fold of the origin becomes a space, or 502', get(), either(status(502), [status(200), (r) => /\r\n[ \t]/.test(r.text) && 'it reached the client']), from(ok('X-A: b', ' c'), {rfc: '9112 5.2'}));
for (const [name, value] of [['nul', 'a\0b'], ['cr', 'a\rb'], ['lf', 'a\nb: c']]) {
  secure(`value-${name}`, `${name} in a field of the origin is made harmless, or 502`, get(), either(status(502), [status(200), (r) => /\0|\r[^\n]|[^\r]\n/.test(r.text) && 'it reached the client']), from(ok(`X-A: ${value}`), {rfc: '9110 5.5'}));
}
should('no-colon', 'a line without a colon from the origin is dropped, or 502', get(), either(status(502), [status(200), (r) => /\r\ngarbage\r\n/.test(r.text) && 'it reached the client']), from(ok('garbage'), {rfc: '9112 5'}));
should('bad-name', 'a field name that is no token is dropped, or 502', get(), either(status(502), [status(200), (r) => /X\(A/.test(r.text) && 'it reached the client']), from(ok('X(A: b'), {rfc: '9110 5.1'}));
must('leading-crlf', 'an empty line before the status line is no response', get(), either(status(502), fine()), from([{body: true}, '\r\n' + ok(), {pause: 30}, {end: true}], {rfc: '9112 2.2'}));
should('bare-lf-head', 'a head of bare LFs is read, or 502', get(), either(status(502), fine()), from([{body: true}, 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', {pause: 30}, {end: true}], {rfc: '9112 2.2'}));
must('head-huge', 'an endless head of the origin gives 502', get(), status(502), from([{body: true}, 'HTTP/1.1 200 OK\r\n' + 'X-A: b\r\n'.repeat(200000), {pause: 20}, {end: true}], {rfc: '9110 15.6.3', deadline: 15000}));

// more than one response
secure('extra-after-length', 'bytes after the body do not reach the client', get() + get(), [clientBody('ok', 0), clientBody('ok', 1), clientNever('evil')], from({each: [answer(['Content-Length: 2'], 'okHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), ok()]}, {responses: 2, rfc: '9112 6.3', alone: true, settle: 150}));
secure('extra-after-chunked', 'bytes after the last chunk do not reach the client', get() + get(), [clientBody('ok', 0), clientBody('ok', 1), clientNever('evil')], from({each: [answer(['Transfer-Encoding: chunked'], chunks('ok') + 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), ok()]}, {responses: 2, rfc: '9112 7.1', alone: true, settle: 150}));
secure('extra-later', 'a response nobody asked for does not answer the next request', [get(), {responses: 1}, {pause: 200}, get()], [clientBody('ok', 0), clientBody('ok', 1), clientNever('evil')], from({each: [[ok(), {pause: 80}, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'], ok()]}, {responses: 2, rfc: '9112 9.3', alone: true, settle: 150}));
secure('extra-other-client', 'a response nobody asked for does not answer another client', [get(), {responses: 1}, {pause: 150}, async (c, {token, target}) => {
  const {RawClient} = await import('../lib/client.mjs');
  const other = new RawClient(target.port, {host: target.host});
  other.write(`GET /~${token}~/other HTTP/1.1\r\nHost: h.test\r\n\r\n`);
  await other.until(() => other.closed || other.complete());
  c.other = other.text;
  c.text += '';
  if (other.text.includes('evil')) c.text += 'evil';
  other.destroy();
}], [clientNever('evil'), reaches(2)], from({each: [[ok(), {pause: 60}, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'], ok()]}, {rfc: '9112 9.3', alone: true}));

// no retry
for (const method of ['POST', 'PATCH', 'PUT', 'DELETE', 'GET']) {
  const idempotent = !['POST', 'PATCH'].includes(method);
  must(`no-retry-${method.toLowerCase()}`, `${method} is not sent twice when the origin closes without an answer`, [head(`${method} {p}/warm HTTP/1.1`, kHost, 'Content-Length: 0'), {responses: 1}, head(`${method} {p}/die HTTP/1.1`, kHost, 'Content-Length: 2') + 'ab'],
       [either(statusOf(1, 502), closes), (r) => r.origin.filter((e) => e.target.endsWith('/die')).length > (idempotent ? 2 : 1) && 'sent again'], from(async (ex) => {
    await ex.body();
    if (ex.target.endsWith('/die')) ex.reset();
    else ex.write(ok());
  }, {responses: 2, rfc: '9112 9.3.1', security: !idempotent}));
}

// early answers
must('early', 'an answer before the request body ends reaches the client at once', [post(['Content-Length: 100000'], 'x'.repeat(1000)), {responses: 1}], [status(413), clientBody('no')], from([answer(['Content-Length: 2', 'Connection: close'], 'no', '413 Content Too Large'), {pause: 50}, {end: true}], {rfc: '9112 9.5'}));
must('early-chunked', 'an answer before a chunked request body ends', [post(['Transfer-Encoding: chunked'], '5\r\nhello\r\n'), {responses: 1}], [status(200), clientBody('ok')], from([ok('Connection: close'), {hold: true}], {rfc: '9112 9.5'}));
secure('early-rest', 'the rest of a body whose request was answered is never a request', [post(['Content-Length: 80'], 'x'.repeat(10)), {responses: 1}, 'GET {p}/smuggled HTTP/1.1\r\nHost: h.test\r\n\r\n'.padEnd(120, 'x')], (r) => judge((q) => q.origin.some((e) => /smuggled/.test(e.target)) && 'smuggled', r), from([ok(), {hold: true}], {rfc: '9112 9.5', settle: 200}));
must('early-both', 'answer and body overlap: both arrive whole', [post(['Content-Length: 6'], 'abc'), {sees: 'first'}, 'def', {responses: 1}], [status(200), clientBody('first-def')], from(async (ex) => {
  ex.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
  if (!(await ex.body())) return;
  ex.write(`4\r\n-${ex.bodyText.slice(3)}\r\n0\r\n\r\n`);
}, {rfc: '9112 9.5'}));

// fields
must('fields', 'fields of the origin reach the client', get(), [fine(), clientHas('X-A', 'b'), clientHas('ETag', 'W/"x"'), clientHas('Content-Type', 'text/x; charset=y')], from(ok('X-A: b', 'ETag: W/"x"', 'Content-Type: text/x; charset=y'), {rfc: '9110 5.1'}));
must('set-cookie', 'Set-Cookie lines stay apart and in order', get(), [fine(), clientHas('Set-Cookie', ['a=1; Path=/', 'b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT', 'a=3'])], from(ok('Set-Cookie: a=1; Path=/', 'Set-Cookie: b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT', 'Set-Cookie: a=3'), {rfc: '9110 5.3'}));
must('order', 'fields of one name keep their order', get(), [fine(), response((x) => x.head.all('x-a').join(', ') !== '1, 2, 3' && `order is ${x.head.all('x-a')}`)], from(ok('X-A: 1', 'X-B: x', 'X-A: 2', 'X-A: 3'), {rfc: '9110 5.3'}));
must('www-authenticate', 'WWW-Authenticate is not changed', get(), [status(401), clientHas('WWW-Authenticate', ['Basic realm="a, b"', 'Bearer'])], from(answer(['Content-Length: 2', 'WWW-Authenticate: Basic realm="a, b"', 'WWW-Authenticate: Bearer'], 'no', '401 Unauthorized'), {rfc: '9110 11.6.1'}));
must('allow', 'Allow is not changed', get(), [status(405), clientHas('Allow', 'GET, HEAD')], from(answer(['Content-Length: 0', 'Allow: GET, HEAD'], '', '405 Method Not Allowed'), {rfc: '9110 10.2.1'}));
must('date-kept', 'the Date of the origin is kept', get(), [fine(), clientHas('Date', 'Sun, 06 Nov 1994 08:49:37 GMT')], from(ok('Date: Sun, 06 Nov 1994 08:49:37 GMT'), {rfc: '9110 6.6.1'}));
must('date-added', 'a Date is added when the origin sends none', get(), [fine(), clientHas('Date', /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/)], from(ok(), {rfc: '9110 6.6.1'}));
must('date-one', 'there is one Date', get(), [fine(), response((x) => x.head.all('date').length !== 1 && `${x.head.all('date').length} Date fields`)], from(ok('Date: Sun, 06 Nov 1994 08:49:37 GMT'), {rfc: '9110 6.6.1'}));
must('encoding', 'Content-Encoding is passed through, the body untouched', get('Accept-Encoding: gzip'), [fine('\x1f\x8b\x08'), clientHas('Content-Encoding', 'gzip')], from(answer(['Content-Length: 3', 'Content-Encoding: gzip'], '\x1f\x8b\x08'), {rfc: '9110 7.7'}));
must('no-transform', 'a body without Accept-Encoding is not encoded', get(), [fine('x'.repeat(5000)), clientLacks('content-encoding')], from(answer(['Content-Length: 5000', 'Content-Type: text/html', 'Cache-Control: no-transform'], 'x'.repeat(5000)), {rfc: '9110 7.7'}));
must('range', 'a 206 is passed through', get('Range: bytes=0-1'), [status(206), originHas('Range', 'bytes=0-1'), clientHas('Content-Range', 'bytes 0-1/10'), clientBody('01')], from(answer(['Content-Length: 2', 'Content-Range: bytes 0-1/10'], '01', '206 Partial Content'), {rfc: '9110 14'}));
must('range-416', 'a 416 is passed through', get('Range: bytes=99-'), [status(416), clientHas('Content-Range', 'bytes */10')], from(answer(['Content-Length: 0', 'Content-Range: bytes */10'], '', '416 Range Not Satisfiable'), {rfc: '9110 14.4'}));
must('location', 'a Location elsewhere is not changed', get(), [status(302), clientHas('Location', 'https://other.test/x?y#z')], from(answer(['Content-Length: 0', 'Location: https://other.test/x?y#z'], '', '302 Found'), {rfc: '9110 10.2.2'}));
must('location-relative', 'a relative Location is not changed', get(), [status(302), clientHas('Location', '/x?y#z')], from(answer(['Content-Length: 0', 'Location: /x?y#z'], '', '302 Found'), {rfc: '9110 10.2.2'}));
for (const code of [200, 201, 202, 203, 206, 207, 226, 300, 301, 303, 307, 308, 400, 401, 402, 403, 404, 406, 409, 410, 411, 412, 415, 418, 422, 425, 428, 429, 451, 500, 501, 503, 507, 511, 299, 399, 499, 599]) {
  must(`status-${code}`, `status ${code} is passed through`, get(), [status(code), clientBody('ok'), nothingAfter], from(answer(['Content-Length: 2'], 'ok', `${code} Text`), {rfc: '9110 15'}));
}
for (const code of [407, 408, 413, 414, 416, 417, 421, 426, 431, 502, 504, 505]) {
  must(`status-${code}`, `status ${code} of the origin is passed through`, get(), [status(code)], from(answer(['Content-Length: 2', ...(code === 426 ? ['Upgrade: foo', 'Connection: Upgrade'] : []), ...(code === 407 ? ['Proxy-Authenticate: Basic realm="x"'] : [])], 'ok', `${code} Text`), {rfc: '9110 15'}));
}
should('status-600', 'a status above 599 is passed through or 502', get(), either(status(600), status(502)), from(answer(['Content-Length: 2'], 'ok', '600 Text'), {rfc: '9110 15'}));
must('reason-none', 'the reason phrase is of no importance', get(), status(404), from('HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n', {rfc: '9112 4'}));
must('value-high', 'bytes above 7F in a field reach the client', get(), either([fine(), clientHas('X-A', '\xe4\xf6')], status(502)), from(ok('X-A: \xe4\xf6'), {rfc: '9110 5.5'}));
must('value-tab', 'a tab inside a value', get(), [fine(), clientHas('X-A', 'a\tb')], from(ok('X-A: a\tb'), {rfc: '9110 5.5'}));
must('value-empty', 'an empty value', get(), [fine(), clientHas('X-A', '')], from(ok('X-A:'), {rfc: '9110 5.5'}));
must('field-large', 'a response field of 8000 bytes', get(), [fine(), clientHas('X-A', 'v'.repeat(7900))], from(ok(`X-A: ${'v'.repeat(7900)}`), {rfc: '9110 5.4'}));
should('fields-many', '100 response fields', get(), [fine(), clientHas('X-99', 'v')], from(ok(...Array.from({length: 100}, (_, i) => `X-${i}: v`)), {rfc: '9110 5.4'}));

// trailers
must('trailer', 'a chunked response with trailers', get('TE: trailers', 'Connection: TE'), fine('hello'), from(answer(['Transfer-Encoding: chunked', 'Trailer: X-T'], '5\r\nhello\r\n0\r\nX-T: v\r\n\r\n'), {rfc: '9112 7.1.2'}));
must('trailer-not-merged', 'a trailer is not merged into the head', get('TE: trailers', 'Connection: TE'), [fine('hello'), clientLacks('x-t')], from(answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nX-T: v\r\n\r\n'), {rfc: '9110 6.5.1'}));
should('trailer-forwarded', 'a trailer reaches a client that asked for it', get('TE: trailers', 'Connection: TE'), [fine('hello'), response((x) => !x.trailers.some(([n, v]) => n.toLowerCase() === 'x-t' && v === 'v') && 'it did not')], from(answer(['Transfer-Encoding: chunked', 'Trailer: X-T'], '5\r\nhello\r\n0\r\nX-T: v\r\n\r\n'), {rfc: '9110 6.5'}));
secure('trailer-framing', 'framing fields in a trailer do not reach the client', get('TE: trailers', 'Connection: TE'), either([fine('hello'), response((x) => x.trailers.some(([n]) => /content-length|transfer-encoding/i.test(n)) && 'they did')], incomplete, status(502)), from(answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\n\r\n'), {rfc: '9110 6.5.1'}));
must('trailer-next', 'after trailers the next response is read', get() + get(), [clientBody('hello', 0), clientBody('ok', 1)], from({each: [answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nX-T: v\r\n\r\n'), ok()]}, {responses: 2, rfc: '9112 7.1.2'}));
must('trailer-1.0', 'an HTTP/1.0 client gets no trailers', head('GET {p} HTTP/1.0', kHost), [clientBody('hello'), clientNever('X-T')], from(answer(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\nX-T: v\r\n\r\n'), {rfc: '9112 7.1.2', ends: true}));

// 1.0 origin
must('origin-1.0-length', 'an HTTP/1.0 origin with Content-Length', get(), fine(), from([{body: true}, 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', {end: true}], {rfc: '9110 2.5'}));
must('origin-1.0-not-reused', 'a connection of an HTTP/1.0 origin is not used again unless it says so', [get(), {responses: 1}, get()], [clientBody('ok', 0), clientBody('ok', 1), (r) => r.origin.length === 2 && r.origin[0].connectionId === r.origin[1].connectionId && 'the same upstream connection'], from('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', {responses: 2, rfc: '9112 9.3', alone: true}));
must('origin-close-not-reused', 'a connection whose origin said close is not used again', [get(), {responses: 1}, get()], [clientBody('ok', 0), clientBody('ok', 1), (r) => r.origin.length === 2 && r.origin[0].connectionId === r.origin[1].connectionId && 'the same upstream connection'], from(ok('Connection: close'), {responses: 2, rfc: '9112 9.6', alone: true}));
must('framing-client', 'the client gets exactly one framing', get(), [fine(), clientFraming('length', 'chunked')], from(ok()));
