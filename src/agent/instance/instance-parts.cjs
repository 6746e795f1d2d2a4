'use strict';
// What an instance consists of, in the order in which it is made; of a template besides, and before.

const kOfTemplates = ['instance/own', 'instance/taken', 'instance/copying'];
const kParts = ['shared/modules', 'shared/invocation', 'shared/unseen', 'shared/statics', 'shared/timers', 'shared/compile', 'shared/requests', 'shared/addresses'];
kParts.push('instance/peer', 'shared/loaded', 'instance/bundler-service', 'instance/data-cache', 'instance/request-context');
kParts.push('shared/hanging', 'shared/connections', 'instance/answer-place', 'instance/own-requests', 'instance/death', 'shared/source-maps', 'shared/module-state');
kParts.push('shared/machine', 'instance/network', 'instance/disk', 'instance/read-only', 'instance/refused', 'instance/reads-by-name', 'instance/reads', 'instance/tmp', 'instance/programs', 'instance/plan');
kParts.push('instance/made-at-build', 'shared/edge-work', 'shared/edge-code', 'instance/middleware-here', 'shared/handlers', 'instance/serve', 'instance/warm');

module.exports = { kOfTemplates, kParts };
