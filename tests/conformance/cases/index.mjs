import requestLine from './request_line.mjs';

export const kCases = [...requestLine];

const seen = new Set();
for (const c of kCases) {
  if (seen.has(c.id)) throw new Error(`two cases are called ${c.id}`);
  seen.add(c.id);
}
