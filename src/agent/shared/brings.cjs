'use strict';
// What a request to middleware brings along, besides what any request does (module-state.cjs): middleware takes a session or a user from its cookies and fields, and hands it on.

// Not of the platform, and not Next's.
const isOwnField = (name) => /^x-(?!forwarded|real-ip|vercel|vsim|middleware|nextjs|invoke)/.test(name);
const cookiesOf = ({ cookie = '' }) => String(cookie).split(';').map((pair) => pair.slice(pair.indexOf('=') + 1).trim());

// `headers`: by names in small letters.
function bringsOf(pathname, headers) {
  const all = [...pathname.split('/'), headers.authorization, ...cookiesOf(headers), ...Object.keys(headers).filter(isOwnField).map((name) => headers[name])];
  return all.filter(Boolean);
}

module.exports = { bringsOf };
