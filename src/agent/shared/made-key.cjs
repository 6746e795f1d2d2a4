'use strict';
// What a kept answer is found by, the same of an instance and of next dev. Static pages know no query.

const { kVaries } = require('../next/names.cjs');

module.exports = { keyOf: (page, url, headers) => [page, url.split('?', 1)[0], ...kVaries.map((name) => headers[name] ?? '')].join('\n') };
