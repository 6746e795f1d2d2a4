'use strict';
// What the command `next dev` makes of its words: what its server will be, before there is one. A guess: who relies on it looks at it again when the server has told.

const kTurbopack = /^--turbo(pack)?$/;

// Variables that it gives its server or that the server sets, as far as modules of Next ask for them when they are loaded.
function variablesOfServer(version, words, env) {
  const isNew = Number.parseInt(version, 10) >= 16;
  return {
    NODE_ENV: env.NODE_ENV || 'development',
    NEXT_RUNTIME: 'nodejs',
    ...bundlerOf(isNew, words, env),
    NEXT_DEPLOYMENT_ID: env.NEXT_DEPLOYMENT_ID ?? '',
    ...(isNew && { __NEXT_DEV_SERVER: '1' }),
  };
}

// 16 takes Turbopack unless it is told otherwise.
function bundlerOf(isNew, words, env) {
  if (words.some((word) => kTurbopack.test(word))) return { TURBOPACK: '1' };
  return isNew && !words.includes('--webpack') && env.TURBOPACK === undefined ? { TURBOPACK: 'auto' } : {};
}

// As NextInDev has it.
const runsGroups = (version, { TURBOPACK }) => Number.parseInt(version, 10) >= 16 && Boolean(TURBOPACK);

module.exports = { runsGroups, variablesOfServer };
