// That the rig can fail: logs made by hand, each wrong in one way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { disagreements, EventLog, growth, strangers } from "./compare.mjs";

const end = (n, members = {}) => ({ t: "invocation_ended", id: n, target: `/api/mix?how=fast&n=${n}`, status: 200, ended_by: "function", ...members });
const seen = (n, members = {}) => ({ n, how: "fast", status: 200, isWhole: true, ...members });

function log(events, from = 1) {
  const made = new EventLog();
  events.forEach((event, i) => made.add({ seq: i + from, ...event }));
  return made;
}
const wrong = (outcomes, events, options) => disagreements(outcomes, log(events), options);
const names = (sentences) => sentences.map((text) => text.split(":")[0]);

test("what agrees is no finding: whole, refused, cut by the app, at the limit, left", () => {
  const events = [
    end(1), end(2, { id: 0, status: 400, code: "SIM_WEBSOCKET_REFUSED" }), end(3, { ended_by: "app" }), end(4, { status: 504, ended_by: "platform", code: "FUNCTION_INVOCATION_TIMEOUT" }),
    end(5, { ended_by: "client", client_left: true }), end(6, { ended_by: "emulator" }),
  ];
  const outcomes = [
    seen(1), seen(2, { status: 400, code: "SIM_WEBSOCKET_REFUSED" }), seen(3, { isWhole: false }), seen(4, { status: 504, code: "FUNCTION_INVOCATION_TIMEOUT" }),
    seen(5, { isWhole: false, left: true }), seen(6, { isWhole: false }), { n: 7, how: "fast", isWhole: false, error: "ECONNREFUSED" }, seen(8, { status: 503, code: "SIM_NOT_READY" }),
  ];
  assert.deepEqual(wrong(outcomes, events), []);
});

for (const [what, outcomes, events] of [
  ["no outcome", [seen(1)], []],
  ["more than one outcome", [seen(1)], [end(1), end(1, { id: 9 })]],
  ["another status", [seen(1)], [end(1, { status: 500, ended_by: "app", code: "FUNCTION_INVOCATION_FAILED" })]],
  ["told as whole, and cut", [seen(1, { how: "stream", isWhole: false })], [end(1)]],
  ["told as left, and heard to the end", [seen(1)], [end(1, { ended_by: "client" })]],
  ["told as left, and heard to the end", [seen(1)], [end(1, { client_left: true })]],
  ["told as answered, and nobody heard it", [{ n: 1, how: "fast", isWhole: false, error: "ECONNRESET" }], [end(1)]],
  ["another request's outcome", [seen(1, { id: "a" })], [end(1, { request_id: "b" })]],
  ["another code", [seen(1, { status: 500, code: "FUNCTION_INVOCATION_FAILED" })], [end(1, { status: 500, ended_by: "app", code: "NO_RESPONSE_FROM_FUNCTION" })]],
  ["no outcome for the client", [{ n: 1, how: "slow", isWhole: false, error: "no outcome" }], []],
  ["told as broken, and whole", [seen(1)], [end(1, { ended_by: "app", code: "SIM_RESPONSE_BROKEN_OFF" })]],
]) {
  test(`found: ${what}, with the request named`, () => {
    const found = wrong(outcomes, events);
    assert.deepEqual(names(found), [what]);
    assert.match(found[0], /"n":1,/);
  });
}

test("found: an invocation that ends twice, one that does not end, a stranger, a gap", () => {
  assert.deepEqual(wrong([], [end(1), end(1)]), ["invocation 1 ended twice"]);
  assert.equal(log([{ t: "invocation_started", id: 5 }]).open.size, 1);
  assert.deepEqual(strangers(log([end(3), end(4)]), new Set([3])), [4]);
  const gapped = log([end(1)], 7);
  assert.deepEqual(disagreements([seen(1)], gapped), ["events between 0 and 7 are missing"]);
  assert.deepEqual(disagreements([seen(1)], gapped, { mayBeLost: true }), []);
});

test("events that could not be written are missed by nobody, but never another outcome", () => {
  assert.deepEqual(wrong([seen(1)], [], { mayBeLost: true }), []);
  assert.deepEqual(names(wrong([seen(1)], [end(1, { status: 404 })], { mayBeLost: true })), ["another status"]);
});

test("found: an answer of an older source after a newer one had come; overlapping ones may come in any order", () => {
  const at = (n, version, sentAt, doneAt) => seen(n, { version, sentAt, doneAt });
  const ends = [end(1), end(2), end(3)];
  assert.deepEqual(wrong([at(1, 1, 0, 10), at(2, 2, 5, 20), at(3, 1, 15, 30)], ends), []);
  assert.match(wrong([at(1, 1, 0, 10), at(2, 2, 5, 20), at(3, 1, 25, 30)], ends)[0], /^an answer of source 1 after one of 2: client .*"n":3,/);
});

test("found: memory that grows; what goes up and down is none", () => {
  const series = Array.from({ length: 100 }, (_, i) => 10 + (i % 3));
  assert.equal(growth(series, 4), null);
  assert.notEqual(growth(series.map((value, i) => value + i / 5), 4), null);
});
