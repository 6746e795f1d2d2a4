import { connect } from "node:net";

// "open", the code of what went wrong, or "on its way": neither within the time.
export function connected(host, port, timeout) {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout });
    const end = (how) => {
      socket.destroy();
      done(how);
    };
    socket.on("connect", () => end("open")).on("timeout", () => end("on its way")).on("error", ({ code }) => end(code));
  });
}
