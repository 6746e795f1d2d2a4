// The status of an answer, or the code of what went wrong.
export async function fetched(url) {
  try {
    return (await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(8000) })).status;
  } catch (error) {
    return error.cause?.code ?? error.name;
  }
}
