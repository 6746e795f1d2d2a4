import { createElement } from "react";
// A page that a tab of an older deployment may ask for an action of.
export default function Page() {
  return createElement("form", { action: act });
}
async function act() {
  "use server";
}
