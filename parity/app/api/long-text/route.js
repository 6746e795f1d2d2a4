export const dynamic = "force-dynamic";
export function GET(request) {
  const isStream = new URL(request.url).searchParams.get("what") === "events";
  return new Response("data: the same line again and again\n\n".repeat(2000), { headers: { "content-type": isStream ? "text/event-stream" : "application/json" } });
}
