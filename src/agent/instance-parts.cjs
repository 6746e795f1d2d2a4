'use strict';
// What an instance consists of, in the order in which it is made; of a template besides, and before.

const kOfTemplates = ['own', 'taken', 'copying'];
const kParts = ['modules', 'invocation', 'unseen', 'statics', 'timers', 'compile', 'requests', 'listen'];
kParts.push('peer', 'loaded', 'bundler-service', 'data-cache', 'request-context', 'hanging', 'connections', 'answer-place', 'own-requests', 'death', 'source-maps', 'module-state');
kParts.push('machine', 'network', 'disk', 'read-only', 'refused', 'reads', 'tmp', 'programs', 'plan', 'made-at-build', 'edge-work', 'edge-code', 'middleware-here', 'handlers', 'serve', 'warm');

module.exports = { kOfTemplates, kParts };
