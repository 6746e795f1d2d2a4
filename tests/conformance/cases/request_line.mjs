// The request line: method, target in its four forms, version, white space (RFC 9112 2.2, 3; RFC 9110 9).
import {either, fine, line, originHas, refused, refusedOrClosed, closes, noSmuggling, status, request, reaches, responseCount, response} from '../lib/expect.mjs';
import {get, head, kHost, kSmuggled, suite} from './make.mjs';

const {cases, must, should, secure, may} = suite('line', '9112 3');
export default cases;

for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT', 'M-SEARCH', 'PURGE', 'QUERY', "A!#$%&'*+-.^_`|~9"]) {
  must(`method-${method.slice(0, 12)}`, `method ${method} is passed on`, head(`${method} {p}/m HTTP/1.1`, kHost), [fine(), line2((ex) => ex.method === method)], {rfc: '9110 9.1'});
}
function line2(test) {
  return request((ex) => !test(ex) && `request line ${ex.head.line}`);
}
must('method-case', 'the method is case-sensitive: get is not GET', head('get {p} HTTP/1.1', kHost), either([fine(), line2((ex) => ex.method === 'get')], refused(400, 405, 501)), {rfc: '9110 9.1'});
must('method-head', 'HEAD is passed on as HEAD', head('HEAD {p} HTTP/1.1', kHost), [status(200), line2((ex) => ex.method === 'HEAD')], {methods: ['HEAD'], origin: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'});
should('method-long', 'a method longer than any known is refused with 501 or 400, or passed on', head(`${'A'.repeat(300)} {p} HTTP/1.1`, kHost), either(fine(), refused(400, 405, 501)));
for (const [name, method] of [['paren', 'GE(T'], ['slash', 'GE/T'], ['at', 'GE@T'], ['comma', 'GE,T'], ['quote', 'GE"T'], ['colon', 'GET:'], ['brace', '{GET}'], ['equals', 'G=T'], ['high', 'G\xc4T'], ['nul', 'G\0T'], ['ctl', 'G\x01T'], ['del', 'G\x7fT']]) {
  must(`method-not-token-${name}`, `a method that is no token (${JSON.stringify(method)}) is refused`, head(`${method} {p} HTTP/1.1`, kHost), refusedOrClosed(400, 405, 501), {rfc: '9110 5.6.2'});
}

must('connect', 'CONNECT is no request of a reverse proxy: refused', head('CONNECT h.test:443 HTTP/1.1', 'Host: h.test:443', 'X-Case: {t}'), refusedOrClosed('4xx', 501), {rfc: '9110 9.3.6', settle: 100});
must('connect-origin-form', 'CONNECT with a path is refused', head('CONNECT {p} HTTP/1.1', kHost), refusedOrClosed('4xx', 501), {rfc: '9110 9.3.6'});
secure('connect-no-tunnel', 'bytes after a refused CONNECT are not tunnelled', head('CONNECT h.test:80 HTTP/1.1', 'Host: h.test:80', 'X-Case: {t}') + kSmuggled, [either(status('4xx', 501), closes), either(noSmuggling, [responseCount(2)])], {rfc: '9110 9.3.6', ends: true});

// TRACE and Max-Forwards
must('trace-max-forwards-0', 'TRACE with Max-Forwards: 0 is not forwarded', head('TRACE {p} HTTP/1.1', kHost, 'Max-Forwards: 0'), reaches(0), {rfc: '9110 7.6.2'});
must('trace-no-secrets', 'TRACE does not reflect Cookie or Authorization', head('TRACE {p} HTTP/1.1', kHost, 'Max-Forwards: 0', 'Cookie: secret=1', 'Authorization: Basic c2VjcmV0'), [reaches(0), (r) => /c2VjcmV0|secret=1/.test(r.text) && 'secrets are reflected'], {rfc: '9110 9.3.8'});
must('trace-max-forwards-5', 'TRACE with Max-Forwards: 5 is refused or forwarded with 4', head('TRACE {p} HTTP/1.1', kHost, 'Max-Forwards: 5'), either(refused('4xx', 501), originHas('Max-Forwards', '4')), {rfc: '9110 7.6.2'});
must('options-max-forwards-0', 'OPTIONS with Max-Forwards: 0 is answered by the proxy', head('OPTIONS {p} HTTP/1.1', kHost, 'Max-Forwards: 0'), [reaches(0), status('2xx', '4xx', 501)], {rfc: '9110 7.6.2'});
must('options-star-max-forwards-0', 'OPTIONS * with Max-Forwards: 0 is answered by the proxy', head('OPTIONS * HTTP/1.1', kHost, 'X-Case: {t}', 'Max-Forwards: 0'), [reaches(0), status('2xx', '4xx', 501)], {rfc: '9110 7.6.2'});
for (const [n, want] of [['1', '0'], ['2', '1'], ['10', '9'], ['100', '99']]) {
  must(`options-max-forwards-${n}`, `OPTIONS with Max-Forwards: ${n} goes on with ${want}`, head('OPTIONS {p} HTTP/1.1', kHost, `Max-Forwards: ${n}`), [fine(), originHas('Max-Forwards', want)], {rfc: '9110 7.6.2'});
}
may('get-max-forwards-0', 'Max-Forwards on GET may be ignored', get('Max-Forwards: 0'), either(fine(), reaches(0)), {rfc: '9110 7.6.2'});

// origin-form
for (const [name, target] of [
  ['query', '{p}/a?b=c'], ['empty-query', '{p}/a?'], ['two-question-marks', '{p}/a?b?c'], ['encoded', '{p}/%7e%41%2f%2e%20'], ['encoded-nul', '{p}/%00'], ['lower-hex', '{p}/%c3%a4%C3%A4'],
  ['double-slash', '{p}//a///b'], ['leading-double-slash', '//x{p}'], ['dots', '{p}/a/../b/./c'], ['trailing-slash', '{p}/'], ['semicolon', '{p}/a;b=c;d'], ['sub-delims', "{p}/!$&'()*+,;=:@-._~"],
  ['plus', '{p}/a+b?c+d=%2B'], ['colon-first', '{p}/a:b'], ['query-url', '{p}/?u=http://x/y?z'], ['query-slashes', '{p}/a?/../b'], ['bad-percent', '{p}/%zz%'],
]) {
  const allowRefusal = name === 'bad-percent' || name === 'encoded-nul';
  const passed = [fine(), request((ex, r) => {
    const want = target.replaceAll('{p}', `/~${r.token}~`);
    return ex.target !== want && `target at the origin ${ex.target}, expected ${want}`;
  })];
  must(`target-${name}`, `the target ${target} reaches the origin unchanged`, head(`GET ${target} HTTP/1.1`, kHost), allowRefusal ? either(passed, refused()) : passed, {rfc: '9110 7.7'});
}
must('target-8000', 'a request line of 8000 bytes is supported', head(`GET {p}/${'a'.repeat(7950)} HTTP/1.1`, kHost), fine(), {rfc: '9112 3'});
must('target-too-long', 'a target of 200 KB gets 414', head(`GET {p}/${'a'.repeat(200000)} HTTP/1.1`, kHost), refused(414), {rfc: '9110 15.5.15'});
should('target-too-long-piecewise', 'a target of 70 KB without an end is answered before it ends', `GET {p}/${'a'.repeat(70000)}`, refusedOrClosed(414, 400, 431), {rfc: '9110 15.5.15'});
for (const [name, target] of [['space', '{p}/a b'], ['tab', '{p}/a\tb'], ['nul', '{p}/a\0b'], ['ctl', '{p}/a\x01b'], ['bell', '{p}/\x07'], ['del', '{p}/a\x7fb'], ['vt', '{p}/a\x0bb'], ['ff', '{p}/a\x0cb']]) {
  must(`target-${name}`, `a target with ${name} is refused`, head(`GET ${target} HTTP/1.1`, kHost), refusedOrClosed(400), {security: true});
}
for (const [name, target] of [['high', '{p}/\xe4'], ['utf8', '{p}/\xc3\xa4']]) {
  should(`target-${name}`, `a target with bytes above 7F is refused or passed on unchanged`, head(`GET ${target} HTTP/1.1`, kHost), either(refused(), [fine(), request((ex, r) => ex.target !== target.replace('{p}', `/~${r.token}~`) && `changed to ${ex.target}`)]));
}
for (const [name, ch] of [['lt', '<'], ['quote', '"'], ['backslash', '\\'], ['caret', '^'], ['backtick', '`'], ['brace', '{x}'], ['pipe', '|']]) {
  should(`target-${name}`, `a target with ${ch} is refused or passed on unchanged`, head(`GET {p}/a${ch} HTTP/1.1`, kHost), either(refused(), [fine(), request((ex) => !ex.target.endsWith('a' + ch) && `changed to ${ex.target}`)]));
}
should('target-fragment', 'a target with a fragment is refused, or the fragment does not reach the origin', head('GET {p}/a#frag HTTP/1.1', kHost), either(refused(), [status(200), line2((ex) => !ex.target.includes('#'))]), {rfc: '9112 3.2.1'});
must('target-empty', 'an empty target is refused', head('GET  HTTP/1.1', kHost, 'X-Case: {t}'), refusedOrClosed(400));
must('target-relative', 'a target without a leading slash is refused', head('GET {t}/a HTTP/1.1', kHost), refusedOrClosed(400), {rfc: '9112 3.2'});
must('target-star-get', 'GET * is refused', head('GET * HTTP/1.1', kHost, 'X-Case: {t}'), refusedOrClosed(400), {rfc: '9112 3.2.4'});
must('target-authority-get', 'authority-form with GET is refused', head('GET h.test:80 HTTP/1.1', 'Host: h.test:80', 'X-Case: {t}'), refusedOrClosed(400), {rfc: '9112 3.2.3'});
must('target-dot-relative', 'a target that begins with ./ is refused', head('GET ./{t} HTTP/1.1', kHost), refusedOrClosed(400), {rfc: '9112 3.2'});
must('target-query-only', 'a target that is only a query is refused', head('GET ?{t} HTTP/1.1', kHost), refusedOrClosed(400), {rfc: '9112 3.2'});
must('options-star', 'OPTIONS * is passed on as *, or answered', head('OPTIONS * HTTP/1.1', kHost, 'X-Case: {t}'), either([fine(), line('OPTIONS * HTTP/1.1')], [reaches(0), status('2xx', 405, 501)]), {rfc: '9112 3.2.4'});

// absolute-form
must('absolute', 'absolute-form is accepted and reaches the origin in origin-form', head('GET http://h.test{p}/a?b HTTP/1.1', kHost), [fine(), either(line2((ex) => ex.target.startsWith('/~') && ex.target.endsWith('~/a?b')), line2((ex) => ex.target.startsWith('http://h.test/')))], {rfc: '9112 3.2.2'});
must('absolute-host-differs', 'the authority of an absolute-form target wins over Host', head('GET http://one.test{p} HTTP/1.1', 'Host: two.test'), either([fine(), originHas('Host', 'one.test')], refused()), {rfc: '9112 3.2.2', security: true});
must('absolute-host-port', 'the port of an absolute-form target reaches the origin as Host', head('GET http://one.test:8080{p} HTTP/1.1', 'Host: one.test'), either([fine(), originHas('Host', 'one.test:8080')], refused()), {rfc: '9112 3.2.2'});
must('absolute-no-host', 'absolute-form does not make up for a missing Host in HTTP/1.1', head('GET http://h.test{p} HTTP/1.1'), refused(), {rfc: '9112 3.2'});
must('absolute-scheme-case', 'the scheme is case-insensitive', head('GET HTTP://h.test{p} HTTP/1.1', kHost), either(fine(), refused()), {rfc: '9110 4.2.3'});
must('absolute-empty-host', 'an http URI without a host is refused', head('GET http://{p} HTTP/1.1', kHost), refusedOrClosed(400), {rfc: '9110 4.2.1'});
must('absolute-empty-host-port', 'an http URI with a port and no host is refused', head('GET http://:80{p} HTTP/1.1', kHost), refusedOrClosed(400), {rfc: '9110 4.2.1'});
must('absolute-userinfo', 'userinfo in the target is refused or dropped', head('GET http://user:pass@h.test{p} HTTP/1.1', kHost), either(refused(), [fine(), line2((ex) => !ex.head.raw.includes('pass'))]), {rfc: '9110 4.2.4', security: true});
must('absolute-no-path', 'an absolute-form target without a path becomes /', head('GET http://h.test?{t} HTTP/1.1', kHost), either([fine(), line2((ex) => ex.target.startsWith('/?') || ex.target.startsWith('http://h.test'))], refused()), {rfc: '9110 7.7'});
must('absolute-options-no-path', 'OPTIONS with an absolute URI without a path means *', head('OPTIONS http://h.test HTTP/1.1', kHost, 'X-Case: {t}'), either([fine(), line('OPTIONS * HTTP/1.1')], [reaches(0), status('2xx', 405, 501)]), {rfc: '9112 3.2.4'});
must('absolute-bad-port', 'a port that is no number is refused', head('GET http://h.test:8x{p} HTTP/1.1', kHost), refusedOrClosed(400), {rfc: '9110 4.2.1'});
should('absolute-ftp', 'another scheme is refused, or goes by its path', head('GET ftp://h.test{p} HTTP/1.1', kHost), either(refused('4xx'), fine()), {rfc: '9110 7.4'});
must('absolute-https', 'an https URI on a plain port is refused or passed on', head('GET https://h.test{p} HTTP/1.1', kHost), either(refused('4xx'), fine()), {rfc: '9110 7.4'});

// version
must('version-1.2', 'HTTP/1.2 is answered as the highest 1.x that we speak', head('GET {p} HTTP/1.2', kHost), either(fine(), refused(400, 505)), {rfc: '9110 2.5'});
must('version-sent-on', 'the proxy sends its own version upstream', head('GET {p} HTTP/1.2', kHost), either(line2((ex) => ex.version === 'HTTP/1.1' || ex.version === 'HTTP/1.0'), refused(400, 505)), {rfc: '9110 6.2'});
must('version-1.0-upgraded', 'an HTTP/1.0 request goes on with the proxy’s own version', head('GET {p} HTTP/1.0', kHost), [status(200), line2((ex) => ex.version === 'HTTP/1.1' || ex.version === 'HTTP/1.0')], {rfc: '9110 6.2'});
must('version-response-1.1', 'a 1.1 request is answered with HTTP/1.1 even when the origin speaks 1.0', get(), [status(200), response((x) => x.version !== '1.1' && `HTTP/${x.version}`)], {rfc: '9110 6.2', origin: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'});
should('version-2.0', 'HTTP/2.0 in a request line gets 505', head('GET {p} HTTP/2.0', kHost), refusedOrClosed(505, 400), {rfc: '9110 15.6.6'});
should('version-9.9', 'HTTP/9.9 gets 505 or 400', head('GET {p} HTTP/9.9', kHost), refusedOrClosed(505, 400), {rfc: '9110 15.6.6'});
for (const [name, version] of [['lower-case', 'http/1.1'], ['mixed', 'Http/1.1'], ['none', ''], ['two-digits', 'HTTP/1.10'], ['leading-zero', 'HTTP/01.1'], ['comma', 'HTTP/1,1'], ['inner-space', 'HTTP/ 1.1'], ['inner-space-2', 'HTTP /1.1'], ['no-minor', 'HTTP/1'], ['no-minor-dot', 'HTTP/1.'], ['letters', 'HTTP/a.b'], ['other', 'HTTPS/1.1'], ['icap', 'ICY/1.1'], ['trailing', 'HTTP/1.1x'], ['trailing-word', 'HTTP/1.1 x'], ['nul', 'HTTP/1.1\0'], ['plus', 'HTTP/+1.1'], ['0.9', 'HTTP/0.9']]) {
  must(`version-${name}`, `the version ${JSON.stringify(version)} is refused`, head(`GET {p} ${version}`, kHost), refusedOrClosed(400, 505), {rfc: '9112 2.3'});
}
must('http-0.9', 'a request line without a version (HTTP/0.9) is refused', 'GET {p}\r\n\r\n', refusedOrClosed(400, 505), {rfc: '9112 2.3'});

// white space and line ends
for (const [name, text] of [['two-spaces', 'GET  {p} HTTP/1.1'], ['two-spaces-version', 'GET {p}  HTTP/1.1'], ['tab', 'GET\t{p} HTTP/1.1'], ['tab-version', 'GET {p}\tHTTP/1.1'], ['vt', 'GET\x0b{p} HTTP/1.1'], ['ff', 'GET {p}\x0cHTTP/1.1'], ['leading', ' GET {p} HTTP/1.1'], ['leading-tab', '\tGET {p} HTTP/1.1'], ['trailing', 'GET {p} HTTP/1.1 '], ['trailing-tab', 'GET {p} HTTP/1.1\t'], ['cr-inside', 'GET\r{p} HTTP/1.1']]) {
  should(`space-${name}`, `white space in the request line (${name}) is refused, or read leniently without effect on the origin`, head(text, kHost), either(refusedOrClosed(400), [fine(), line2((ex) => /^GET \/~\d+~ HTTP\/1\.1$/.test(ex.head.line))]));
}
should('leading-crlf', 'an empty line before the request line is ignored', '\r\n' + get(), fine(), {rfc: '9112 2.2'});
should('leading-crlf-2', 'two empty lines before the request line', '\r\n\r\n' + get(), either(fine(), refused()), {rfc: '9112 2.2'});
should('leading-lf', 'a bare LF before the request line', '\n' + get(), either(fine(), refused()), {rfc: '9112 2.2'});
must('leading-cr', 'a bare CR before the request line is refused or ignored', '\r' + get(), either(refusedOrClosed(400), fine()), {rfc: '9112 2.2'});
must('line-bare-cr', 'a request line that ends in a bare CR is refused', 'GET {p} HTTP/1.1\rHost: h.test\r\n\r\n', refusedOrClosed(400, 505), {rfc: '9112 2.2', security: true});
should('line-bare-lf', 'a request line that ends in a bare LF is refused, or read as a line', 'GET {p} HTTP/1.1\nHost: h.test\r\n\r\n', either(refusedOrClosed(400), [fine(), line2((ex) => !/[^\r]\n/.test(ex.head.raw))]), {rfc: '9112 2.2'});
should('head-bare-lf', 'a head of bare LFs is refused, or read as lines', 'GET {p} HTTP/1.1\nHost: h.test\n\n', either(refusedOrClosed(400), [fine(), line2((ex) => !/[^\r]\n/.test(ex.head.raw))]), {rfc: '9112 2.2'});
must('garbage', 'bytes that are no HTTP at all are refused', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', refusedOrClosed(400), {rfc: '9112 2.2'});
must('h2-preface', 'the HTTP/2 preface is refused', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', refusedOrClosed(400, 405, 501, 505), {rfc: '9112 2.3', ends: true});
must('one-word', 'a request line of one word is refused', head('GET', kHost, 'X-Case: {t}'), refusedOrClosed(400));
must('status-line', 'a status line is no request', head('HTTP/1.1 200 OK', kHost, 'X-Case: {t}'), refusedOrClosed(400, 501, 505));
must('space-before-first-header', 'white space between request line and first field is refused or the line is ignored', head('GET {p} HTTP/1.1', ' X-Evil: 1', kHost), either(refusedOrClosed(400), [fine(), line2((ex) => !ex.head.raw.includes('X-Evil'))]), {rfc: '9112 2.2', security: true});
must('space-before-host', 'a Host that is only there as a continuation of the request line does not count', head('GET {p} HTTP/1.1', ' Host: h.test'), refusedOrClosed(400), {rfc: '9112 2.2', security: true});
must('slow-pieces', 'a head that comes byte by byte is understood', [...'GET {p}'.match(/\{p\}|./g), ...(' HTTP/1.1\r\nHost: h.test\r\n\r\n').split('')].flatMap((c) => [c, {pause: 1}]), fine());
