export function register() {
  globalThis.isoRegistered = (globalThis.isoRegistered ?? 0) + 1;
}

export function onRequestError(error) {
  console.log(`onRequestError: ${error.message}`);
}
