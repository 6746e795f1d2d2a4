// Field lines (RFC 9112 5, 2.2; RFC 9110 5).
import {either, fine, originHas, refused, refusedOrClosed, request, status, statusOf, noSmuggling, reaches, cleanFraming} from '../lib/expect.mjs';
import {get, head, kSmuggled, post, suite} from './make.mjs';

const {cases, must, should, secure, may} = suite('field', '9112 5');
export default cases;

const clean = request((ex) => /[^\r]\n|\r[^\n]|\0/.test(ex.head.raw) && 'bare CR, bare LF or NUL reached the origin');
// Not there as a field of its own, wherever its bytes went.
const noField = (name) => request((ex) => ex.head.has(name) && `${name} became a field at the origin`);

secure('space-before-colon', 'a space between name and colon gets 400', get('X-A : b'), refused(), {rfc: '9112 5.1'});
secure('tab-before-colon', 'a tab between name and colon gets 400', get('X-A\t: b'), refused(), {rfc: '9112 5.1'});
secure('spaces-before-colon', 'white space between name and colon gets 400', get('X-A \t : b'), refused(), {rfc: '9112 5.1'});
must('leading-space-line', 'obs-fold is refused or replaced by a space', get('X-A: b', ' c'), either(refused(), [fine(), originHas('X-A', /^b +c$/)]), {rfc: '9112 5.2', security: true});
must('leading-tab-line', 'obs-fold with a tab is refused or replaced by a space', get('X-A: b', '\tc'), either(refused(), [fine(), originHas('X-A', /^b[ \t]+c$/)]), {rfc: '9112 5.2', security: true});
must('fold-to-field', 'a folded line that looks like a field is no field', get('X-A: b', ' X-Evil: 1'), either(refused(), [status(200), noField('X-Evil')]), {rfc: '9112 5.2', security: true});
must('fold-empty', 'a folded line of white space only is refused or replaced', get('X-A: b', ' '), either(refused(), [fine(), originHas('X-A', 'b')]), {rfc: '9112 5.2'});
secure('fold-content-length', 'a folded Content-Length is refused or read whole', post(['Content-Length:', ' 2'], 'ab'), either(refused(), [status(200), cleanFraming]), {rfc: '9112 5.2'});
secure('fold-transfer-encoding', 'a folded Transfer-Encoding is refused or read whole', post(['Transfer-Encoding:', ' chunked'], '0\r\n\r\n'), either(refused(400, 501), [status(200), cleanFraming]), {rfc: '9112 5.2'});

for (const [name, value] of [['nul', 'a\0b'], ['nul-first', '\0'], ['cr', 'a\rb'], ['cr-cr', 'a\r\rb'], ['cr-end', 'a\r']]) {
  secure(`value-${name}`, `a value with ${name} is refused or made harmless`, get(`X-A: ${value}`, 'X-B: c'), either(refusedOrClosed(400), [status(200), clean]), {rfc: '9110 5.5'});
}
secure('value-cr-field', 'a bare CR does not begin a field', get('X-A: b\rX-Evil: 1'), either(refusedOrClosed(400), [status(200), clean, noField('X-Evil')]), {rfc: '9112 2.2'});
secure('value-lf-field', 'a bare LF is refused, or goes on as CRLF', get('X-A: b\nX-C: 1'), either(refusedOrClosed(400), [status(200), clean]), {rfc: '9112 2.2'});
secure('lf-smuggle', 'a head that ends with bare LFs hides no request', get('X-A: b\n\n' + kSmuggled.slice(0, -4)), either(refusedOrClosed(400), [clean]), {rfc: '9112 2.2', responses: 1});
for (const [name, ch] of [['ctl-01', '\x01'], ['bel', '\x07'], ['bs', '\x08'], ['vt', '\x0b'], ['ff', '\x0c'], ['esc', '\x1b'], ['us', '\x1f'], ['del', '\x7f']]) {
  should(`value-${name}`, `a value with the control byte ${name} is refused or passed on as it is`, get(`X-A: a${ch}b`), either(refused(), [status(200), clean]), {rfc: '9110 5.5'});
}
for (const [name, value] of [['tab-inside', 'a\tb'], ['obs-text', '\xe4\xf6'], ['utf8', '\xc3\xa4'], ['quotes', '"a, b";c="d\\"e"'], ['comma', 'a,,b, c'], ['colon', 'a:b: c'], ['spaces', 'a   b'], ['punctuation', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~']]) {
  const lenient = name === 'obs-text';
  const passed = [fine(), originHas('X-A', value)];
  must(`value-ok-${name}`, `a value with ${name} is passed on unchanged`, get(`X-A: ${value}`), lenient ? either(passed, refused()) : passed, {rfc: '9110 5.5'});
}
must('value-empty', 'an empty value is passed on', get('X-A:'), [fine(), originHas('X-A', '')], {rfc: '9110 5.5'});
must('value-only-ows', 'a value of white space is empty', get('X-A: \t '), [fine(), originHas('X-A', '')], {rfc: '9110 5.5'});
must('value-ows', 'white space around a value is not part of it', get('X-A:\t b \t'), [fine(), originHas('X-A', 'b')], {rfc: '9110 5.5'});

must('no-colon', 'a field line without a colon is refused', get('X-A b'), refusedOrClosed(400), {security: true});
must('no-colon-last', 'a last line without a colon is refused', get('X-A: b', 'garbage'), refusedOrClosed(400));
must('empty-name', 'a field line with an empty name is refused', get(': b'), refusedOrClosed(400), {security: true});
must('only-colon', 'a field line that is only a colon is refused', get(':'), refusedOrClosed(400));
for (const [name, bad] of [['space', 'X A'], ['paren', 'X(A'], ['slash', 'X/A'], ['at', 'X@A'], ['comma', 'X,A'], ['semicolon', 'X;A'], ['equals', 'X=A'], ['quote', 'X"A'], ['bracket', 'X[A]'], ['brace', 'X{A}'], ['lt', 'X<A'], ['question', 'X?A'], ['backslash', 'X\\A'], ['nul', 'X\0A'], ['ctl', 'X\x01A'], ['del', 'X\x7fA'], ['high', 'X\xe4A'], ['cr', 'X\rA'], ['vt', '\x0bX-A']]) {
  must(`name-${name}`, `a name that is no token (${JSON.stringify(bad)}) is refused, or does not reach the origin`, get(`${bad}: b`), either(refusedOrClosed(400), [status(200), request((ex) => ex.head.raw.includes(bad) && `${JSON.stringify(bad)} reached the origin`)]), {rfc: '9110 5.1'});
}
for (const [name, good] of [['symbols', "!#$%&'*+-.^_`|~"], ['digits', '123'], ['underscore', 'X_A'], ['dot', 'X.A'], ['one', 'x']]) {
  must(`name-ok-${name}`, `the field ${good} is passed on`, get(`${good}: b`), [fine(), originHas(good, 'b')], {rfc: '9110 5.1'});
}
must('unknown', 'unknown fields are passed on', get('X-Unknown-Field: some value'), [fine(), originHas('X-Unknown-Field', 'some value')], {rfc: '9110 5.1'});
must('order', 'fields of one name keep their order', get('X-A: 1', 'X-B: x', 'X-A: 2', 'X-A: 3'), [fine(), request((ex) => ex.head.all('X-A').join(', ') !== '1, 2, 3' && `order is ${ex.head.all('X-A')}`)], {rfc: '9110 5.3'});
must('cookies', 'Cookie fields reach the origin', get('Cookie: a=1; b=2'), [fine(), originHas('Cookie', 'a=1; b=2')], {rfc: '6265 5.4'});
must('large-8000', 'a field of 8000 bytes is passed on', get(`X-A: ${'v'.repeat(7900)}`), [fine(), originHas('X-A', 'v'.repeat(7900))], {rfc: '9110 5.4'});
must('too-large', 'fields larger than the server wants get 4xx', get(`X-A: ${'v'.repeat(300000)}`), refused(431, 400, 413), {rfc: '9110 5.4'});
should('too-large-431', 'a field of 300 KB gets 431', get(`X-A: ${'v'.repeat(300000)}`), refused(431), {rfc: '6585 5'});
should('too-many', '20,000 fields get 431', get(...Array.from({length: 20000}, (_, i) => `X-${i}: v`)), refusedOrClosed(431, 400), {rfc: '6585 5'});
must('many-80', '80 fields are passed on', get(...Array.from({length: 80}, (_, i) => `X-${i}: v${i}`)), [fine(), originHas('X-79', 'v79')], {rfc: '9110 5.4'});
must('endless-name', 'a name without an end is refused', `GET {p} HTTP/1.1\r\nHost: h.test\r\n${'A'.repeat(300000)}`, refusedOrClosed(431, 400), {rfc: '9110 5.4', security: true});
must('double-crlf-request', 'the empty line ends the head: the rest is the next request', get() + 'GET {p}/second HTTP/1.1\r\nHost: h.test\r\n\r\n', [statusOf(0, 200), statusOf(1, 200), reaches(2)], {responses: 2});
must('name-case', 'names are case-insensitive', head('POST {p} HTTP/1.1', 'HOST: h.test', 'cOnTeNt-LeNgTh: 2') + 'ab', [fine(), cleanFraming], {rfc: '9110 5.1'});
for (const name of ['Authorization', 'Range', 'If-None-Match', 'If-Match', 'If-Modified-Since', 'If-Range', 'Accept', 'Accept-Encoding', 'Accept-Language', 'Cache-Control', 'Pragma', 'Content-Type', 'Content-Encoding', 'Content-Language', 'Referer', 'User-Agent', 'From', 'Origin', 'Warning', 'Priority', 'Sec-Fetch-Site', 'DNT', 'Traceparent']) {
  const value = {Range: 'bytes=0-99', 'If-None-Match': '"x", W/"y"', Authorization: 'Basic YTpi', 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT', Origin: 'http://h.test'}[name] ?? 'some/value;q=0.5';
  must(`passes-${name.toLowerCase()}`, `${name} reaches the origin unchanged`, get(`${name}: ${value}`), [fine(), originHas(name, value)], {rfc: '9110 7.7'});
}
secure('underscore-host', 'Content_Length is not taken for Content-Length', post(['Content-Length: 2', 'Content_Length: 99'], 'ab'), [either(fine(), refused()), noSmuggling], {rfc: '9110 5.1'});
may('duplicate-accept', 'list fields may come on several lines', get('Accept: text/html', 'Accept: text/plain'), [fine(), request((ex) => ex.head.list('accept').join() !== 'text/html,text/plain' && 'changed')], {rfc: '9110 5.3'});
