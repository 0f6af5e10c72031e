// Asks the server; tells apart what changed, what the ledger does not give, and a server that is gone.

const TIMEOUT_MS = 20000;
const tags = new Map();

/** Why there is no answer: `kind` is `gone`, `locked`, `empty` or `ledger`. */
export class Unanswered extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** The data of an address; null where it is what it was the last time. */
export async function ask(path) {
  let response;
  try {
    response = await fetch(path, { cache: "no-cache", credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Unanswered("gone", "The server does not answer. Is `sprout-like dashboard` still running? Asking again …");
  }
  if (response.status === 401) {
    throw new Unanswered("locked", "This page was opened by another server. Open the URL that `sprout-like dashboard` printed.");
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({ error: `The server answered ${response.status}.` }));
    tags.delete(path);
    throw new Unanswered(problem.empty ? "empty" : "ledger", problem.error);
  }
  const tag = response.headers.get("ETag");
  if (tag !== null && tags.get(path) === tag) return null;
  const data = await response.json();
  tags.set(path, tag);
  return data;
}

/** Have the next answer told as a change, whatever it is. */
export function forget() {
  tags.clear();
}
