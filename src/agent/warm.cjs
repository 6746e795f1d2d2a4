'use strict';
// Binds a spare to a function before its first request: loads its modules. (Filled in below.)

module.exports = function (sim) {
  async function bind() {}
  return { bind };
};
