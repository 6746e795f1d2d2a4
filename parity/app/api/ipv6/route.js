import { connect } from "node:net";
export const dynamic = "force-dynamic";
export async function GET() {
  const ipv6 = await new Promise((done) => {
    // An address that is for documentation (RFC 3849): nobody answers.
    const socket = connect({ port: 443, host: "2001:db8::1", timeout: 1500 });
    socket.on("timeout", () => socket.destroy()).on("close", () => done("on its way")).on("error", ({ code }) => code === "ENETUNREACH" && done(code));
  });
  return Response.json({ ipv6 });
}
