'use strict';
// Next 16: its router matches a request before the render server has it (request meta `match`), and a tag's note is {expired, stale}.

const common = require('./common.cjs');
const manifestOfTags = require('./tags.cjs');

module.exports = (given) => common(given, (next) => ({
  // Only Turbopack lets one process run several functions through each other's compiles.
  runsGroups: () => next.isTurbopack(),
  tags: (on) => manifestOfTags(on, { timeOf: (note) => note?.expired, namesOfExpired: ['areTagsExpired'] }),
}));
