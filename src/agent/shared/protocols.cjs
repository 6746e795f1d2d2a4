'use strict';
// What a client writes on a connection, told by its first bytes: a request that the other side will answer, or not. Only protocols in which every
// request has an answer are known here; a log line that is shipped over TCP, a message that is published, a frame of a WebSocket have none, and nobody
// can tell whether they were received. What belongs to the connection itself (handshakes, passwords, heartbeats, subscriptions) is no request.

const kShown = 4096;
const kMostBytes = 64 << 20;
const kHttp = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+ HTTP\/1\.[01]\r\n/;
const kRedisCommand = /\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n/g;
const kRedisOwn = /^(hello|auth|client|info|select|ping|echo|quit|reset|readonly|readwrite|asking|cluster|command|sentinel|role|monitor|[ps]?(un)?subscribe)$/i;
const kMongoOwn = /^(hello|ismaster|ping|endsessions|killcursors|saslstart|saslcontinue|buildinfo|authenticate)$/i;
const kPostgresRequests = new Set([...'QPBEF'].map((type) => type.charCodeAt(0)));
const kPostgresTypes = new Set([...'QPBEFSHDCXpdcf'].map((type) => type.charCodeAt(0)));
const kMysqlRequests = new Set([0x02, 0x03, 0x16, 0x17, 0x1a, 0x1c]);

// What it is called ("Postgres query"); undefined if it is none, or not known to be one. `bytes` is the begin of what was written, `total` its length.
function requestIn(bytes, total = bytes.length) {
  if (bytes.length < 5) return undefined;
  if (isMongo(bytes)) return kMongoOwn.test(mongoCommand(bytes)) ? undefined : 'MongoDB command';
  if (bytes[0] === 0x2a) return isRedis(bytes) ? 'Redis command' : undefined;
  if (isPostgres(bytes)) return 'Postgres query';
  if (isMysql(bytes, total)) return 'MySQL query';
  if (isTds(bytes, total)) return 'SQL Server query';
  return kHttp.test(bytes.toString('latin1', 0, kShown)) ? 'HTTP request' : undefined;
}

// OP_MSG with a command as its first section.
function isMongo(bytes) {
  return bytes.length > 26 && bytes.readInt32LE(12) === 2013 && bytes[20] === 0;
}

function mongoCommand(bytes) {
  const end = bytes.indexOf(0, 26);
  return bytes.toString('latin1', 26, end < 0 ? bytes.length : end);
}

// Several commands may go in one write, those of the connection first.
function isRedis(bytes) {
  for (const [, command] of bytes.toString('latin1', 0, kShown).matchAll(kRedisCommand)) if (!kRedisOwn.test(command)) return true;
  return false;
}

// Messages one behind the other: Parse, Bind, Execute, Sync.
function isPostgres(bytes) {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    if (!kPostgresTypes.has(bytes[at]) || length < 4 || length > kMostBytes) return false;
    if (kPostgresRequests.has(bytes[at])) return true;
    at += 1 + length;
  }
  return false;
}

function isMysql(bytes, total) {
  return bytes[3] === 0 && bytes.readUIntLE(0, 3) + 4 === total && kMysqlRequests.has(bytes[4]);
}

function isTds(bytes, total) {
  return (bytes[0] === 1 || bytes[0] === 3) && bytes.length >= 8 && bytes.readUInt16BE(2) <= total && bytes.readUInt16BE(4) === 0 && bytes[7] === 0;
}

const kPostgresGreeting = new Set([...'RSNKE'].map((type) => type.charCodeAt(0)));
// Poolers have no code of their own for it: PgBouncer ("no more connections allowed (max_client_conn)", 08P01), Supavisor ("Max client connections reached", XX000).
const kPoolerFull = /^(no more connections allowed|max client connections reached|MaxClientsInSessionMode)/i;
const kMysqlFull = new Map([[1040, 'Too many connections'], [1203, 'max_user_connections']]);

// What a server says that takes no more connections, instead of a greeting or behind it; undefined if it says something else.
function refusalIn(bytes) {
  if (!Buffer.isBuffer(bytes) || bytes.length < 7) return undefined;
  const mysql = bytes[4] === 0xff && bytes[3] <= 2 && bytes.readUIntLE(0, 3) + 4 <= bytes.length ? bytes.readUInt16LE(5) : 0;
  if (kMysqlFull.has(mysql)) return `${mysql} ${kMysqlFull.get(mysql)}`;
  return postgresRefusal(bytes) ?? /^-ERR (max number of clients reached)/.exec(bytes.toString('latin1', 0, 64))?.[1];
}

// Its error may stand behind what the other side says of the password.
function postgresRefusal(bytes) {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    if (!kPostgresGreeting.has(bytes[at]) || length < 4 || length > kShown) return undefined;
    const end = at + 1 + length;
    const fields = bytes[at] === 0x45 ? bytes.toString('utf8', at + 5, end).split('\0') : [];
    const message = fields.find((field) => field[0] === 'M')?.slice(1) ?? '';
    if (fields.includes('C53300')) return `53300 ${message || 'too many connections'}`;
    if (kPoolerFull.test(message)) return message;
    at = end;
  }
  return undefined;
}

// The begin of what a socket is given to write: a text, a buffer, or a list of both.
function beginOf(isList, data, encoding) {
  const pieces = isList ? data : [{ chunk: data, encoding }];
  const shown = [];
  let size = 0;
  let total = 0;
  for (const piece of pieces) {
    const chunk = piece.chunk ?? piece;
    const isText = typeof chunk === 'string';
    total += isText ? Buffer.byteLength(chunk, piece.encoding) : chunk.byteLength;
    if (size >= kShown) continue;
    const begin = isText ? Buffer.from(chunk.slice(0, kShown), piece.encoding) : chunk.subarray(0, kShown);
    shown.push(begin);
    size += begin.length;
  }
  const bytes = shown.length === 1 ? shown[0] : Buffer.concat(shown);
  return { bytes: Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes), total };
}

module.exports = { requestIn, refusalIn, beginOf };
