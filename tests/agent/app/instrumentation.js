export function register() {
  globalThis.isoRegistered = (globalThis.isoRegistered ?? 0) + 1;
}
