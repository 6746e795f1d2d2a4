'use strict';
// `vercel-sim mcp`: the Model Context Protocol over standard input and output, one JSON-RPC message a line (modelcontextprotocol.io, stdio transport).
// A client of the API and of the program's own commands. Only messages go to standard output.

const readline = require('node:readline');
const { kTools, described, problemOf, Refused } = require('./tools.cjs');

const kVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
const kParseError = -32700, kInvalidRequest = -32600, kNoMethod = -32601, kInvalidParams = -32602;

class Wrong extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @param {{ name?: string, arguments?: object }} params */
async function call({ name, arguments: values = {} }, context) {
  const tool = kTools.find((one) => one.name === name);
  if (!tool) throw new Wrong(kInvalidParams, `no tool is called ${name}; there are ${kTools.map((one) => one.name).join(', ')}`);
  const problem = problemOf(described(tool), values);
  const answer = (text, isError) => ({ content: [{ type: 'text', text }], isError });
  if (problem) return answer(problem, true);
  try {
    return answer(await tool.does(values, context), false);
  } catch (error) {
    if (context.signal.aborted) throw error;
    return answer(error instanceof Refused ? error.message : `vercel-sim mcp failed: ${error.message}`, true);
  }
}

function answerTo({ method, params }, context) {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: kVersions.includes(params?.protocolVersion) ? params.protocolVersion : kVersions[0],
        capabilities: { tools: {} },
        serverInfo: { name: 'vercel-sim', version: context.version },
        instructions: 'vercel-sim enforces the limits of a Vercel plan in front of `next dev`. Start `vercel-sim run` first; then ask for verdicts after each request or test. A verdict has its fix.',
      };
    case 'ping':
      return {};
    case 'tools/list':
      return { tools: kTools.map(described) };
    case 'tools/call':
      return call(params ?? {}, context);
    default:
      throw new Wrong(kNoMethod, `no method is called ${method}`);
  }
}

async function main({ program, words, input = process.stdin, output = process.stdout }) {
  const url = words.find((word) => word.startsWith('--url='))?.slice('--url='.length) ?? 'http://localhost:3000';
  const version = words.find((word) => word.startsWith('--version='))?.slice('--version='.length) ?? '0';
  const running = new Map();  // what can be cancelled, by id
  const send = (message) => output.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  output.on('error', () => process.exit(0));  // nobody listens any more
  const take = async (line) => {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      return send({ id: null, error: { code: kParseError, message: 'a line that is no JSON' } });
    }
    const id = message?.id;
    if (message === null || typeof message !== 'object' || Array.isArray(message) || message.jsonrpc !== '2.0')
      return send({ id: id ?? null, error: { code: kInvalidRequest, message: 'expected one message of JSON-RPC 2.0' } });
    if (typeof message.method !== 'string') return undefined;  // an answer: we ask nothing
    if (id === undefined) {
      if (message.method === 'notifications/cancelled') running.get(message.params?.requestId)?.abort();
      return undefined;
    }
    const abort = new AbortController();
    running.set(id, abort);
    try {
      send({ id, result: await answerTo(message, { program, url, version, signal: abort.signal }) });
    } catch (error) {
      // Who has cancelled expects no answer.
      if (!abort.signal.aborted) send({ id, error: { code: error.code ?? -32603, message: error.message } });
    } finally {
      running.delete(id);
    }
    return undefined;
  };
  readline.createInterface({ input, crlfDelay: Infinity }).on('line', (line) => void (line.trim() && take(line))).on('close', () => {
    for (const abort of running.values()) abort.abort();
    // What was asked last may still be on its way out.
    output.end(() => process.exit(0));
  });
}

module.exports = { main };
