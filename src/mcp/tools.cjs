'use strict';
// What an agent may ask of vercel-sim: the API of the run (docs/openapi.json), and the program's own commands. Nothing is judged here.

const { spawn } = require('node:child_process');
const http = require('node:http');
const https = require('node:https');

const kMostText = 200_000;
const text = (description) => ({ type: 'string', description });
const number = (description) => ({ type: 'integer', minimum: 0, description });
const kLink = text('The link of the live page as the terminal shows it, such as http://localhost:3000/_vercel-sim/#…; needed where the run is not on the port of --url, and for what changes it');
const kPaging = { after: number('only what comes behind this seq, the first of it; `next` of the last answer. Without it: the newest'), limit: number('how many at most: 1 to 1000, 100 by default') };

class Refused extends Error {}

// The run that a link names: its address, and its token if there is one in it.
function runOf(link) {
  let url;
  try {
    url = new URL(link);
  } catch {
    throw new Refused(`${link} is no address; expected one such as http://localhost:3000/_vercel-sim/`);
  }
  const host = url.hostname;
  if (!/^https?:$/.test(url.protocol) || !(host === 'localhost' || host.endsWith('.localhost') || /^127(\.\d+){3}$/.test(host) || host === '[::1]'))
    throw new Refused(`${link}: a run is asked on this machine only, at http://localhost:PORT`);
  return { origin: url.origin, token: url.hash.slice(1) };
}

/** @param {{ origin: string, token?: string }} run @param {string} path @param {{ method?: string, signal?: AbortSignal }} [how] */
function ask({ origin, token }, path, { method = 'GET', signal } = {}) {
  return new Promise((resolve, reject) => {
    const headers = method === 'POST' ? { 'x-vercel-sim-token': token, 'content-length': 0 } : {};
    // The certificate of --https is one of the run's own, and the address is this machine's.
    const request = (origin.startsWith('https:') ? https : http).request(`${origin}/_vercel-sim/api/${path}`, { method, headers, agent: false, rejectUnauthorized: false, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (data) => (body += data)).on('error', reject);
      response.on('end', () => {
        let data;
        try {
          data = JSON.parse(body);
        } catch {
          return reject(new Refused(`${origin} is no run of vercel-sim (${response.statusCode})`));
        }
        if (response.statusCode === 200) resolve(body);
        else reject(new Refused([data.error, data.fix].filter(Boolean).join('\nfix: ')));
      });
    });
    request.on('error', (/** @type {NodeJS.ErrnoException} */ error) => reject(error.code === 'ECONNREFUSED' ? new Refused(`nothing runs on ${origin}\nfix: vercel-sim run, or give the link that its terminal shows`) : error));
    request.end();
  });
}

const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
};

// A command of the program: what it wrote, and how it ended.
function command({ program, signal }, words) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' }, signal, killSignal: 'SIGTERM' });
    let out = '';
    const take = (data) => {
      if (out.length < kMostText) out += data;
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
    child.once('error', reject);
    child.once('close', (code, name) => resolve(`${out.slice(0, kMostText)}${out.length >= kMostText ? '\n(the rest is left out)' : ''}\nexit code ${code ?? name}`));
  });
}

const reads = (path, names) => (values, context) => {
  const { link = context.url, ...asked } = values;
  return ask(runOf(link), path + query(Object.fromEntries(names.map((name) => [name, asked[name]]))), context);
};

/** @typedef {{ name: string, description: string, required?: string[], properties?: Record<string, any>, changes?: boolean, plain?: boolean,
 *   does: (values: any, context: any) => Promise<any> }} Tool */

/** @type {Tool[]} */
const kTools = [
  { name: 'run', description: 'The run: its plan, its app, whether it is ready', does: reads('run', []) },
  { name: 'verdicts', description: 'What the limits of the platform said in this run: the code, the limit, what was measured, file and line, the fix, and the request', properties: { code: text('such as FUNCTION_INVOCATION_TIMEOUT'), route: text('such as /api/slow'), ...kPaging }, does: reads('verdicts', ['code', 'route', 'after', 'limit']) },
  { name: 'events', description: 'All that happened, as events of `vercel-sim run --events`', properties: { type: text('such as notice or instance_changed'), route: text('of a function'), instance: text('such as i3'), ...kPaging }, does: reads('events', ['type', 'route', 'instance', 'after', 'limit']) },
  { name: 'invocations', description: 'Requests that are over, and those under way', properties: { route: text('such as /api/users/[id]'), instance: text('such as i3'), code: text('of the outcome or of a verdict'), status: number('as the client got it'), method: text('such as POST'), traffic: text('such as invocation'), ...kPaging }, does: reads('invocations', ['route', 'instance', 'code', 'status', 'method', 'traffic', 'after', 'limit']) },
  { name: 'invocation', description: 'The whole story of one request and of its instance', required: ['which'], properties: { which: text('its id, or the x-vercel-id of its response') }, does: ({ which, link }, context) => ask(runOf(link ?? context.url), `invocations/${encodeURIComponent(which)}`, context) },
  { name: 'instances', description: 'The function instances that live', does: reads('instances', []) },
  { name: 'plan', description: 'Every limit that holds now, with its source', does: reads('plan', []) },
  {
    name: 'switch_plan', changes: true, description: 'Another plan, one of its limits, or the time scale, for requests that come from now on; needs the link with its token. Exactly one of profile, set, time_scale',
    properties: { profile: text('hobby, hobby-fluid, pro, pro-fluid, enterprise, enterprise-fluid'), set: text('KEY=VALUE, such as duration.default=5s'), time_scale: text('such as 10x') },
    does: ({ link, ...values }, context) => ask(runOf(link ?? context.url), `plan${query(values)}`, { ...context, method: 'POST' }),
  },
  { name: 'explain', plain: true, description: 'What an error code, a rule or an error message means, why Vercel does it, how to fix it', properties: { what: text('such as FUNCTION_INVOCATION_TIMEOUT; without it: all') }, does: ({ what }, context) => command(context, ['explain', ...(what === undefined ? [] : ['--', what])]) },
  { name: 'check', plain: true, description: 'What in the sources will break on the plan, without running the app. Exit code 2: it found an error', properties: { directory: text("the project's folder; here by default"), profile: text('a plan') }, does: ({ directory, profile }, context) => command(context, ['check', '--format=json', ...(profile === undefined ? [] : [`--profile=${profile}`]), ...(directory === undefined ? [] : [`--cwd=${directory}`])]) },
  { name: 'replay', plain: true, changes: true, description: 'Sends the requests of a recording (vercel-sim run --record) again, on another plan or on all: what breaks where. Takes minutes, and starts the app', required: ['recording'], properties: { recording: text('the file'), profiles: text('all, or names with commas between them'), directory: text("the project's folder; here by default") }, does: ({ recording, profiles, directory }, context) => command(context, ['replay', ...(profiles === undefined ? [] : [`--profiles=${profiles}`]), ...(directory === undefined ? [] : [`--cwd=${directory}`]), './' + require('node:path').relative('.', recording)]) },
];

/** @param {Tool} tool */
const described = ({ name, description, properties = {}, required, changes = false, plain }) => ({
  name,
  description,
  inputSchema: { type: 'object', properties: plain ? properties : { ...properties, link: kLink }, ...(required && { required }), additionalProperties: false },
  annotations: { readOnlyHint: !changes, destructiveHint: false, openWorldHint: false },
});

// What is wrong with the arguments of a call, or undefined.
function problemOf({ inputSchema: { properties, required = [] } }, values) {
  for (const name of required) if (values[name] === undefined) return `${name} is missing: ${properties[name].description}`;
  for (const [name, value] of Object.entries(values)) {
    const known = properties[name];
    if (!known) return `${name} is no argument of this; there are ${Object.keys(properties).join(', ')}`;
    const right = known.type === 'integer' ? Number.isInteger(value) && value >= 0 : typeof value === 'string';
    if (!right) return `${name} expects ${known.type === 'integer' ? 'a whole number' : 'a text'}: ${known.description}`;
  }
  return undefined;
}

module.exports = { kTools, described, problemOf, Refused };
