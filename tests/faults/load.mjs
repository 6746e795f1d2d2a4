// A steady mix of load: so many requests a second, whatever the answers are like, and what came of each.
import http from "node:http";

// A client that has heard nothing for so long has no outcome. Not soon: what an instance waits for a processor is not charged, so that on a machine
// with ten times the work that it can do a limit of 5 s strikes after a minute, and whoever is on the same event loop waits as long.
export const kPatienceMs = 300_000;
const kMostAtOnce = 48;

// A generator of numbers in [0, 1) (mulberry32): the same order with the same seed.
export function generator(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const kUpgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
const kUploadBytes = 100_000;
const json = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
};

// `isRight` looks at the text of a whole answer with status 200.
export const kMix = [
  { how: "fast", weight: 4, isRight: (text) => json(text).how === "fast" },
  { how: "slow", weight: 2, isRight: (text) => json(text).how === "slow" },
  { how: "sse", weight: 2, isRight: (text) => text.endsWith("data: 9\n\n") },
  { how: "stream", weight: 2, isRight: (text) => text.length === 200_000 },
  { how: "upload", weight: 2, method: "POST", body: "x".repeat(kUploadBytes), isRight: (text) => json(text).bytes === kUploadBytes },
  { how: "upgrade", weight: 1, headers: kUpgrade },
  { how: "static", weight: 1, path: "/icon.svg", isRight: (text) => text.endsWith("</svg>\n") || text.endsWith("</svg>") },
  { how: "page", weight: 1, path: "/time", isRight: (text) => text.includes("</html>") },
  { how: "static page", weight: 1, path: "/about", isRight: (text) => text.includes("</html>") },
];

// What a client saw, as compare.mjs wants it.
export function ask(port, n, { how, method = "GET", body, headers = {}, path = "/api/mix", leave, isRight }) {
  return new Promise((done) => {
    const seen = { n, how, isWhole: false, sentAt: performance.now() };
    let text = "";
    let timer;
    const finish = () => {
      clearTimeout(timer);
      clearTimeout(patience);
      if (seen.isWhole && seen.status === 200 && isRight && !isRight(text)) seen.error = `not what was asked for: ${text.slice(0, 80)}`;
      if (seen.isWhole && how === "fast") seen.version = json(text).version;
      done({ ...seen, doneAt: performance.now() });
    };
    const request = http.request({ port, method, path: `${path}?how=${encodeURIComponent(how)}&n=${n}`, agent: false, headers: { host: `localhost:${port}`, ...headers } }, (response) => {
      Object.assign(seen, { status: response.statusCode, code: response.headers["x-vercel-sim"], id: response.headers["x-vercel-id"] });
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => (seen.isWhole = response.complete));
      response.on("error", () => {});
      response.on("close", finish);
    });
    request.on("upgrade", (response, socket) => {
      Object.assign(seen, { status: response.statusCode, id: response.headers["x-vercel-id"], left: true });
      socket.destroy();
      finish();
    });
    request.on("error", (error) => {
      seen.error ??= error.code;
      if (seen.status === undefined) finish(); // else the response is closed too
    });
    const patience = setTimeout(() => {
      seen.error = "no outcome";
      request.destroy();
    }, kPatienceMs);
    if (leave) {
      timer = setTimeout(() => {
        seen.left = true;
        request.destroy();
      }, leave);
    }
    request.end(body);
  });
}

export class Load {
  outcomes = [];
  sent = new Set();
  #n = 0;
  #extra = [];
  #running = new Set();
  #timer;

  // `port` may be asked for at each request. All kinds come once before they are drawn.
  constructor({ port, rate, seed, mix = kMix, onOutcome = () => {} }) {
    Object.assign(this, { port, rate, mix, onOutcome });
    this.random = generator(seed);
  }
  get atOnce() {
    return this.#running.size;
  }
  // Kinds of request that are mixed in until the next call.
  set extra(kinds) {
    this.#extra = kinds;
  }
  draw() {
    const all = [...this.mix, ...this.#extra];
    let left = this.random() * all.reduce((sum, { weight = 1 }) => sum + weight, 0);
    return all.find(({ weight = 1 }) => (left -= weight) < 0) ?? all[0];
  }
  one(kind = this.draw()) {
    const n = ++this.#n;
    this.sent.add(n);
    const running = ask(this.port, n, kind).then((seen) => {
      this.#running.delete(running);
      this.outcomes.push(seen);
      this.onOutcome(seen);
      return seen;
    });
    this.#running.add(running);
    return running;
  }
  start() {
    for (const kind of this.mix) this.one(kind);
    this.#timer = setInterval(() => this.#running.size < kMostAtOnce && this.one(), 1000 / this.rate);
  }
  // Nothing more is sent; answers once each client has its outcome.
  async pause() {
    clearInterval(this.#timer);
    while (this.#running.size) await Promise.all(this.#running);
  }
  // The outcomes since the last call.
  take() {
    return this.outcomes.splice(0);
  }
}
