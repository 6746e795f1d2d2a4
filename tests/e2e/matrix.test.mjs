// Next and bundler in many versions with the whole program in front, on the app of the agent's tests: each kind of function, each twice
// from instances that share nothing, first all at once while nothing is compiled yet, since the races of isolation are those of compiles.
// Without VSIM_FULL=1 a covering part; VSIM_MATRIX names others, VSIM_ROUNDS how often.
import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cleanUp, editFile, eventually, isEnd, kFull, once, request, startSim } from "./harness.mjs";
import { makeApp } from "./matrix_app.mjs";
import { kNewestOfMajor, partsOf } from "../next_versions.mjs";
import { programsOfNode } from "../node_versions.mjs";

const kMinors = ["16.3", "16.2", "16.1", "16.0", "15.4", "15.3", "15.2", "15.1", "15.0"].map((next) => `${next}-turbopack`);
const kOldest = ["16.0-webpack", "15.2-webpack", "15.0-webpack", "14.1-webpack", "14.0-webpack"];
const kNodes = ["16-turbopack@22", "16-turbopack@24", "16-turbopack@26", "16-webpack@26", "15-turbopack@24", "14-webpack@24"];
const kCovering = ["16-turbopack", "16-webpack@24", "15.2-turbopack", "14.1-webpack"];
const chosen = process.env.VSIM_MATRIX?.split(",") ?? (kFull ? [...kNewestOfMajor, ...kMinors, ...kOldest, ...kNodes] : kCovering);
const roundsOf = (combo) => Number(process.env.VSIM_ROUNDS ?? (kFull && kNewestOfMajor.includes(combo) ? 3 : 1));

// What those who come second find: files of a kind of their own, so that an edit of one is no edit of the other.
const kFiles = {
  "app/made/[id]/page.js": `export const dynamicParams = false;
export const generateStaticParams = () => [{ id: "known" }];
export default async function Page({ params }) { const { id } = await params; return <p>{"made of " + id}</p>; }
`,
  "app/(lost)/gone/page.js": `import { notFound } from "next/navigation";
export const dynamic = "force-dynamic";
export default function Page() { notFound(); }
`,
  "app/api/edited/route.js": `import { word } from "../../../lib/word";
export const dynamic = "force-dynamic";
let count = 0;
export const GET = () => Response.json({ version: 1, word, count: ++count });
`,
  "lib/word.js": 'export const word = "one";\n',
  "pages/edited.js": `let count = 0;
export const getServerSideProps = () => ({ props: { count: ++count } });
export default function Edited({ count }) { return <p>{"version 1, count " + count}</p>; }
`,
};

const json = (answer) => {
  assert.equal(answer.status, 200, answer.text.slice(0, 400));
  return JSON.parse(answer.text);
};

// What is asked, and what must come of it on a fresh instance, each time.
function checks(url, combo) {
  const get = (path, options) => request(url + path, options);
  const form = (action) => {
    const part = (field, value) => `--line\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`;
    return { method: "POST", headers: { "content-type": "multipart/form-data; boundary=line" }, body: `${part(action, "")}${part("word", "blue")}--line--\r\n` };
  };
  return {
    "route handler": async () => {
      const { count, shared, global, registered } = json(await get("/iso/count"));
      assert.deepEqual([count, shared, global, registered], [1, 1, 1, 1]);
    },
    "app page": async () => {
      const { status, text } = await get("/iso/page?word=blue");
      assert.equal(status, 200);
      assert.match(text, /rendered 1 word blue/);
      assert.match(text, /clicked 1/);
    },
    RSC: async () => {
      let answer = await get("/iso/page?word=green", { headers: { rsc: "1" } });
      if (answer.status === 307) answer = await get(answer.headers.get("location"), { headers: { rsc: "1" } });
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get("content-type"), /text\/x-component/);
      assert.match(answer.text, /rendered 1 word green/);
    },
    "getServerSideProps and its data": async () => {
      const page = await get("/iso/ssr?word=red");
      assert.match(page.text, /ssr 1 red \/iso\/ssr\?word=red/);
      const [, build] = page.text.match(/"buildId":"([^"]+)"/);
      const { pageProps } = json(await get(`/_next/data/${build}/iso/ssr.json?word=red`, { headers: { "x-nextjs-data": "1" } }));
      assert.deepEqual(pageProps, { count: 1, word: "red", resolvedUrl: "/iso/ssr?word=red" });
    },
    "pages/api with a body": async () => {
      const { body, own, names } = json(await get("/api/old", { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' }));
      assert.deepEqual({ body, own, names }, { body: { a: 1 }, own: [], names: [] });
    },
    "POST to a route handler": async () => assert.equal(json(await get("/iso/body", { method: "POST", headers: { "content-type": "text/plain" }, body: "x".repeat(50_000) })).length, 50_000),
    "edge function": async () => assert.deepEqual(json(await get("/iso/edge")), { count: 1 }),
    "Server Action": async () => {
      const page = await get("/action");
      const [, action] = page.text.match(/name="(\$ACTION_ID_[0-9a-f]+)"/);
      const { status, text } = await get("/action", form(action));
      assert.equal(status, 200, text.slice(0, 400));
    },
    "middleware's fields and rewrite": async () => {
      const answer = await get("/iso/overridden", { headers: { "x-changed": "old", "x-removed": "here" } });
      const { headers, count } = json(answer);
      assert.deepEqual([headers["x-added"], headers["x-changed"], headers["x-removed"], count], ["by middleware", "new", undefined, 1]);
      assert.match(answer.headers.get("set-cookie"), /from-mw=1/);
      assert.equal((await get("/mw-answer")).text, "from middleware");
    },
    streaming: async () => {
      const { text, cut, ms, total } = await get("/iso/stream");
      assert.equal(text, "one;two;three;");
      assert.equal(cut, null);
      assert.ok(total - ms >= 300, `all in ${total - ms} ms: not as it was written`);
    },
    "what is not found": async () => {
      for (const path of ["/no/such/page", "/gone", "/made/unknown"]) assert.equal((await get(path)).status, 404, path);
      assert.match((await get("/made/known")).text, /made of known/);
    },
    "the next route": async () => {
      assert.match((await get("/iso/fallback/known")).text, /page of known/);
      const rest = await get("/iso/fallback/other");
      assert.equal(rest.status, 200);
      assert.match(rest.text, /rest of other/);
    },
    redirect: async () => {
      const { status, headers } = await get("/iso/redirect");
      assert.equal(status, 307);
      assert.match(headers.get("location"), /\/iso\/page\?word=moved$/);
    },
    "errors of pages and handlers": async () => {
      assert.equal((await get("/iso/error")).status, 500);
      assert.equal((await get("/api/broken")).status, 500);
    },
    "draft mode": async () => {
      const cookie = (await get("/iso/draft?on")).headers.get("set-cookie").split(";")[0];
      assert.deepEqual(json(await get("/iso/draft", { headers: { cookie } })), { enabled: true });
      assert.deepEqual(json(await get("/iso/draft")), { enabled: false });
    },
    "a dynamic import": async () => assert.equal((await get("/api/lazy")).text, "late"),
    "after()": async () => /^(14|15\.0)/.test(combo) || assert.equal((await get("/iso/after")).status, 200),
  };
}

for (const combo of chosen) {
  const { next, bundler, major, node } = partsOf(combo);
  describe(`Matrix: Next ${next} ${bundler}${node ? `, Node ${node}` : ""}`, { timeout: 900_000 }, () => {
    let external;
    let word = "first";
    let env;

    before(async () => {
      external = createServer((_, response) => response.end(word)).listen(0, "127.0.0.1");
      await once(external, "listening");
      const { port } = external.address();
      env = { EXTERNAL_ORIGIN: `http://127.0.0.1:${port}`, ISO_PORT: String(port), NEXT_MAJOR: String(major) };
      if (node) env.PATH = `${programsOfNode(node)}:${process.env.PATH}`;
    });
    after(async () => {
      external.closeAllConnections();
      external.close();
      await cleanUp();
    });

    for (let round = 1; round <= roundsOf(combo); round += 1) {
      test(`Matrix: ${combo}, round ${round}: all kinds, each on a fresh instance`, async (t) => {
        const app = await makeApp(combo, kFiles);
        const sim = await startSim(["--profile", "hobby", "--seed", String(round), "--set", "duration.default=60s"], { cwd: app, env });
        const failures = [];
        const check = async (stage, wanted) => {
          for (const [name, passes] of wanted) {
            await passes().catch((error) => failures.push(`${stage}: ${name}: ${error.message}`));
          }
        };
        try {
          const all = Object.entries(checks(sim.url, combo));
          const begin = performance.now();
          // From three clients, each with its own part: most routes are compiled while others are served.
          await Promise.all([0, 1, 2].map((part) => check("compiling", all.filter((_, i) => (i + round) % 3 === part))));
          const compiled = performance.now();
          await Promise.all([0, 1, 2].map((part) => check("compiled", all.filter((_, i) => (i + round) % 3 === part))));
          t.diagnostic(`${all.length} checks: ${Math.round(compiled - begin)} ms while compiling, ${Math.round(performance.now() - compiled)} ms after`);
          assert.deepEqual(failures, []);

          // Of 15 and later; each of the two by its own instance.
          if (major >= 15) for (const word of ["page broken", "broken"]) await sim.output.waitFor(new RegExp(`onRequestError: ${word} on purpose`), 10_000);
          await sharedCache(sim);
          await edits(sim, app, t);

          const ends = sim.events().filter(isEnd({ traffic: "invocation" }));
          for (const end of ends) if (end.route) assert.match(end.instance ?? "none", /^i\d+$/, JSON.stringify(end));
          const started = sim.events().find(({ t: type }) => type === "run_started");
          assert.equal(started.isolation, "invocation");
          assert.doesNotMatch(sim.output.text, /lacks hooks|has not been tried with this Next|nobody saw it begin/);
          if (node) assert.ok(readlinkSync(`/proc/${sim.alive().find(({ command }) => /next-server|next dev/.test(command)).pid}/exe`).startsWith(env.PATH.split(":")[0]));
          assert.deepEqual((await sim.stop()).left, []);
        } catch (error) {
          throw new Error(`${error.stack}\nprinted last:\n${sim.output.text.slice(-20_000)}`);
        } finally {
          sim.kill();
        }
      });
    }

    // Vercel's data cache is one for all instances, and so is what is revalidated.
    async function sharedCache(sim) {
      // What was fetched is written to the cache while the answer is sent: its instance has done so when it is given back.
      const read = async () => {
        const { text, headers } = await request(`${sim.url}/iso/shared`);
        await sim.rest(headers);
        return text;
      };
      word = "first";
      assert.equal(await eventually("a cached answer", 40_000, async () => (await read()) === "first" && "first"), "first");
      word = "second";
      assert.equal(await read(), "first", "from another instance's cache");
      assert.equal((await request(`${sim.url}/iso/shared?tag`)).text, "revalidated");
      assert.equal(await read(), "second");
    }

    // Once new code has answered it always does, for everybody, while others are served.
    async function edits(sim, app, t) {
      const took = [];
      const stale = [];
      let editing = true;
      let busy = 0;
      const noise = (async () => {
        while (editing) {
          const { status, text } = await request(`${sim.url}/iso/count`);
          busy += 1;
          if (status !== 200 || JSON.parse(text).count !== 1) stale.push(`noise: ${status} ${text.slice(0, 200)}`);
        }
      })();
      const cases = [
        ["app/api/edited/route.js", "/api/edited", "version: 1", "version: 2", /"version":2.*"count":1/],
        ["lib/word.js", "/api/edited", '"one"', '"two"', /"word":"two","count":1/],
        ["pages/edited.js", "/edited", "version 1", "version 2", /version 2, count 1/],
        ["app/iso/page/page.js", "/iso/page", "rendered ", "made ", /made 1 word/],
        ["app/iso/client/counter.js", "/iso/page", "clicked ", "pressed ", /pressed 1/],
      ];
      for (const [file, path, from, to, wanted] of cases) {
        assert.equal((await request(sim.url + path)).status, 200, path);
        await editFile(join(app, file), from, to);
        const begin = performance.now();
        await eventually(`${to} in ${path}`, 30_000, async () => wanted.test((await request(sim.url + path)).text));
        took.push(Math.round(performance.now() - begin));
        const again = await Promise.all([1, 2, 3].map(() => request(sim.url + path)));
        for (const { text } of again) if (!wanted.test(text)) stale.push(`${file}: ${text.slice(0, 200)}`);
      }
      editing = false;
      await noise;
      assert.deepEqual(stale, []);
      t.diagnostic(`edits served new after ${took.join(", ")} ms, with ${busy} other requests meanwhile`);
    }
  });
}
