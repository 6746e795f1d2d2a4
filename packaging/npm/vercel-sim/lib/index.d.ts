export interface StartOptions {
  /** The project's folder. Default: the current one. */
  cwd?: string;
  /** A plan or a file, as --profile. Default: as vercel.json says, or hobby. */
  profile?: string;
  /** Values of the plan, as --set: { 'duration.default': '5s' }. */
  set?: Record<string, string>;
  /** Default: a free one. */
  port?: number;
  /** Further options of `vercel-sim run`. */
  args?: string[];
  /** What to run instead of `next dev`, as behind `--`. */
  command?: string[];
  /** Added to the environment. */
  env?: Record<string, string>;
  /** For the start, in milliseconds. Default: 120000. */
  timeout?: number;
  /** The program to run. Default: that of the package for this system. */
  program?: string;
}

/** docs/events.md says the fields of each type. */
export interface SimEvent {
  t: string;
  seq: number;
  time: string;
  at_ms: number;
  [field: string]: unknown;
}

export interface Verdict {
  code: string;
  /** false: a warning, nothing was changed. */
  enforced: boolean;
  limit_key?: string;
  limit?: string;
  measured?: string;
  route?: string;
  file?: string;
  fix?: string;
  from?: Record<string, unknown>;
  /** The event that said it: its id, method, target, status. */
  event: SimEvent;
}

export interface Sim {
  /** http://localhost:PORT */
  url: string;
  /** Grows while the run goes on. */
  events: SimEvent[];
  /** All of the run until now: what a request has met is in it once its answer is here. Rejects when events were lost. */
  verdicts(): Promise<Verdict[]>;
  /** Ends the run, and resolves when it is over. May be called again. */
  stop(): Promise<void>;
}

/** Starts `vercel-sim run`; resolves when the app is ready, rejects with its last words when it does not become so. */
export function start(options?: StartOptions): Promise<Sim>;

/** There is no program for this system here; `fix` says what to do. */
export class CannotRun extends Error {
  fix: string;
}
