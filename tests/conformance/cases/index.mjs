import chunked from './chunked.mjs';
import connection from './connection.mjs';
import fields from './fields.mjs';
import host from './host.mjs';
import interim from './interim.mjs';
import length from './length.mjs';
import own from './own.mjs';
import requestLine from './request_line.mjs';
import response from './response.mjs';

export const kCases = [...requestLine, ...host, ...fields, ...length, ...chunked, ...connection, ...interim, ...response, ...own];

const seen = new Set();
for (const c of kCases) {
  if (seen.has(c.id)) throw new Error(`two cases are called ${c.id}`);
  seen.add(c.id);
}
