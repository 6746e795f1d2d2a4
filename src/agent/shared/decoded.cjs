'use strict';
// Text of an address or a path without its %XX; what is no such text as it is: a folder may be called "100%".

module.exports = function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
