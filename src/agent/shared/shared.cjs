'use strict';
// What all parts share, in next dev and in instances. Each part is a function of this object and adds its own to it.

const { AsyncLocalStorage } = require('node:async_hooks');

// `options`: token, timeScale, publicPort and what else the role has. `next`: src/agent/next/interface.d.ts. `tell` sends a message to vercel-sim.
// `sayHello` says once more what was found missing.
function createShared({ options, next, tell, sayHello }) {
  const missing = new Set();  // hooks that this Next does not have
  const sim = /** @type {any} */ ({
    options,
    next,
    tell,
    missing,
    hello: { pid: process.pid, said: false },
    // The invocation in whose asynchronous context code runs; undefined outside of one, and inside a compile.
    invocations: new AsyncLocalStorage(),
    kInvocation: Symbol('vsim.invocation'),
    plain: { setTimeout, clearTimeout, setImmediate },  // before anybody patches them
    sayHello,
    guard,
    lacks,
  });

  // Nothing of ours may throw into Next: what fails is a hook that this Next does not have.
  function guard(hook, action) {
    try {
      return action();
    } catch {
      lacks(hook);
    }
  }

  // A hook that is found missing after `hello` makes a second one.
  function lacks(hook) {
    if (missing.has(hook)) return;
    missing.add(hook);
    if (sim.hello.said) sim.sayHello();
  }

  return sim;
}

module.exports = { createShared };
