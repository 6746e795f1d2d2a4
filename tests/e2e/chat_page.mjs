// The chat page as a person uses it.
import { within } from "./harness.mjs";

const kPageMs = 60_000; // the first visit compiles

export async function openChat(context, url, { transport, room, name }) {
  const page = await context.newPage();
  const consoleLines = [];
  page.on("console", (message) => consoleLines.push(message.text()));
  await page.goto(`${url}/?${new URLSearchParams({ transport, room, name })}`, { timeout: kPageMs });
  const seen = (id) => page.getByTestId(id);
  return {
    page,
    consoleLines,
    status: seen("status"),
    via: seen("via"),
    error: seen("error"),
    names: seen("names"),
    messages: seen("messages"),
    wire: seen("wire"),

    // The button does nothing before React has taken over the page.
    async join() {
      const button = seen("enter");
      await button.waitFor();
      await page.waitForFunction(() => Object.keys(document.querySelector("form.join") ?? {}).some((key) => key.startsWith("__reactProps")), null, {
        timeout: kPageMs,
      });
      await button.click();
    },
    async say(text) {
      await page.fill("input[name=text]", text);
      await seen("send").click();
    },
    waitFor: (id, pattern, ms = 20_000) => seen(id).filter({ hasText: pattern }).waitFor({ timeout: ms }),
    waitForConsole: (pattern, ms = 10_000) =>
      within(
        ms,
        `console line like ${pattern}`,
        consoleLines.some((line) => pattern.test(line)) ? null : page.waitForEvent("console", { predicate: (message) => pattern.test(message.text()), timeout: ms }),
      ),
  };
}
