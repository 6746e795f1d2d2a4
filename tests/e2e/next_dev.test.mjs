// The example app under plain `next dev`, without vercel-sim: what breaks later is to be the platform's doing and not the app's.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openChat } from "./chat_page.mjs";
import { cleanUp, copyApp, listens, request, startBrowser, startNextDev } from "./harness.mjs";

describe("Plain next dev", { timeout: 300_000 }, () => {
  let dev;
  let browser;

  before(async () => {
    dev = await copyApp().then((app) => startNextDev(app));
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    await cleanUp();
  });

  for (const [transport, via] of [
    ["websocket", "websocket"],
    ["polling", "polling"],
    ["auto", "websocket"],
    ["route", "polling"],
    ["raw", "websocket"],
  ]) {
    test(`Plain next dev: two tabs chat over transport "${transport}"`, async () => {
      const context = await browser.newContext();
      const room = `room-${transport}`;
      const ada = await openChat(context, dev.url, { transport, room, name: "Ada" });
      const bob = await openChat(context, dev.url, { transport, room, name: "Bob" });
      for (const tab of [ada, bob]) {
        await tab.join();
        await tab.waitFor("status", /^connected$/);
        await tab.waitFor("via", new RegExp(`^${via}$`));
      }
      for (const tab of [ada, bob]) await tab.waitFor("names", /^Ada, Bob$/);

      await ada.say("Is anybody here?");
      await bob.waitFor("messages", /Ada.*Is anybody here\?/);
      await bob.say("Yes, in this process.");
      await ada.waitFor("messages", /Bob.*Yes, in this process\./);

      await bob.page.close();
      await ada.waitFor("names", /^Ada$/, 30_000);
      await context.close();
    });
  }

  test("Plain next dev: a tab in another room hears nothing", async () => {
    const context = await browser.newContext();
    const ada = await openChat(context, dev.url, { transport: "websocket", room: "tea", name: "Ada" });
    const eve = await openChat(context, dev.url, { transport: "websocket", room: "coffee", name: "Eve" });
    for (const tab of [ada, eve]) {
      await tab.join();
      await tab.waitFor("status", /^connected$/);
    }
    await ada.say("only for tea");
    await ada.waitFor("messages", /only for tea/);
    await eve.say("only for coffee"); // what comes after proves what did not come before
    await eve.waitFor("messages", /only for coffee/);
    assert.doesNotMatch(await eve.messages.innerText(), /only for tea/);
    await context.close();
  });

  test("Plain next dev: state made in one route is there in another, and work goes on after the response", async () => {
    const made = await request(`${dev.url}/api/rooms`, { method: "POST", body: JSON.stringify({ name: "tea" }) });
    assert.equal(made.status, 201);
    const { id } = JSON.parse(made.text);
    const joined = await request(`${dev.url}/api/rooms/${id}/join`, { method: "POST", body: JSON.stringify({ name: "Ada" }) });
    assert.deepEqual(JSON.parse(joined.text), { id, name: "tea", members: ["Ada"] });

    const started = JSON.parse((await request(`${dev.url}/api/background?ms=500&every=50`, { method: "POST" })).text);
    const poll = async () => JSON.parse((await request(`${dev.url}/api/background?id=${started.id}`)).text);
    let work = await poll();
    while (!work.finished) work = await poll();
    assert.ok(work.ticks >= 5, `ticks: ${work.ticks}`);
  });

  test("Plain next dev: the counter answers exactly one JSON member", async () => {
    const first = await request(`${dev.url}/api/counter`);
    const second = await request(`${dev.url}/api/counter`);
    assert.match(first.text, /^\{"count":\d+\}$/);
    assert.equal(JSON.parse(second.text).count, JSON.parse(first.text).count + 1);
  });

  test("Plain next dev: it stops, and its port is free", async () => {
    const { left } = await dev.stop("SIGINT");
    assert.deepEqual(left, []);
    assert.equal(await listens(dev.port), false);
  });
});
