'use strict';

// A module of Next with some exports replaced: they are getters without setters. What is not replaced is inherited.
module.exports = function withExports(real, replaced) {
  /** @type {PropertyDescriptorMap} */
  const out = {};
  for (const [name, value] of Object.entries(replaced)) out[name] = { value, enumerable: true };
  return Object.create(real, out);
};
