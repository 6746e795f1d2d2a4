'use strict';
// Names of this machine's loopback, and how they are spelled in sources: `localhost` and its like, which are so everywhere; what /etc/hosts says here alone; what DNS says, learned as it is answered.

const { readFileSync } = require('node:fs');
const os = require('node:os');

const kLoopback = /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|0\.0\.0\.0|::1|::|::ffff:127(\.\d{1,3}){3})$/i;
const kSpelled = '(localhost|127(\\.\\d{1,3}){3}|0\\.0\\.0\\.0|\\[::1?\\])';
// No public DNS has them (RFC 2606, 6761, 6762, 8375, and ICANN's `internal`).
const kPrivate = /^[^.]+$|\.(test|example|invalid|local|localdomain|internal|lan|home|corp|home\.arpa)$/i;

const learned = new Set();
let ofHosts;

// Those that are no loopback by themselves.
function hostsNames() {
  if (ofHosts) return ofHosts;
  ofHosts = new Set();
  let text = '';
  try {
    text = readFileSync('/etc/hosts', 'utf8');
  } catch {
    // another system
  }
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
    if (kLoopback.test(address)) for (const name of names) if (!kLoopback.test(name)) ofHosts.add(name);
  }
  return ofHosts;
}

const isItself = (host) => kLoopback.test(host);
const isLoopback = (host) => kLoopback.test(host) || learned.has(host.toLowerCase()) || hostsNames().has(host.toLowerCase());

// Of a name that is one by /etc/hosts alone: 'hosts' where no DNS has it, 'stand-in' where there may be a server of that name. A machine's own name is one everywhere.
function oddity(host) {
  const name = host.toLowerCase();
  if (kLoopback.test(host) || !hostsNames().has(name) || name === os.hostname().toLowerCase()) return '';
  return kPrivate.test(name) ? 'hosts' : 'stand-in';
}

const learn = (host) => void learned.add(host.toLowerCase());

const patterns = new Map();

// How a host is spelled: {spelled: for a pattern, address: written out with a scheme, alone: by itself, somewhere}.
function patternsOf(host) {
  const spelled = isItself(host) ? kSpelled : `(${host.replace(/[^\w-]/g, '\\$&')})`;
  if (!patterns.has(spelled)) {
    patterns.set(spelled, {
      spelled,
      address: new RegExp(`["'\`](https?:|wss?:)?//${spelled}(?![\\w.-])`, 'i'),
      alone: new RegExp(`["'\`]${spelled}["'\`:]`, 'i'),
      somewhere: new RegExp(`["'\`/]${spelled}`, 'i'),
    });
  }
  return patterns.get(spelled);
}

module.exports = { isItself, isLoopback, learn, oddity, patternsOf };
