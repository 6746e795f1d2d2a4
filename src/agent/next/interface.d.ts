// What the agent asks of Next, whatever version of it runs: the only way for its parts to know something of Next's internals. common.cjs answers in both
// processes, dev.cjs in `next dev`, instance.cjs in instances; 14.cjs, 15.cjs and 16.cjs answer what differs (there is no other place that knows versions).
// What is the same in all versions and has no state are names.cjs (paths, fields, tags), chunks.cjs (what bundlers write), flight.cjs (what a page's document
// carries) and tools.cjs (what Next brings along of others').
//
// A `hooksOf…` gives [what a module of Next is asked for by, (exports, parent) → what is given instead or undefined], for hookModules (shared/modules.cjs).
// `guard` keeps what throws out of Next. What a version lacks is told by the part that misses it (`hello`, docs/agent-protocol.md).

export type Hook = [RegExp, (exports: any, parent?: any) => any];
type Guard = (name: string, action: () => any) => any;

/** Next's DevServer, as far as parts look at it themselves. */
export interface Server {
  dir: string;
  distDir: string;
  nextConfig: any;
}

/** What a request is dispatched to. `page` and `kind` as Next has them, `filename` of the user's. */
export interface Definition {
  page: string;
  kind: string;
  filename?: string;
  pathname?: string;
  isError?: boolean;
}

/** What Next's router asks of its render server. `meta` is what an instance's render server is to be asked by. */
export interface Asked {
  meta: any;
  isMiddleware: boolean;
  isErrorPage: boolean;
  definition?: Definition;
}

/** A page of the pages router that is about to be rendered. */
export interface Page {
  page?: string;
  isKnown: boolean;
  asksServer: boolean; // getServerSideProps
  isOfBuild: boolean; // getStaticProps
  isPlain: boolean; // nothing of the kind, nor getInitialProps
  functions: any[]; // of the user's
  watchProps(told: (result: any, context: any) => void): void;
}

/** In both processes. */
export interface Next {
  version: string;
  dist: string; // the folder of its files
  load(name: string): any; // for this folder alone: a module of Next, by its path in `dist`
  loadFirst(...names: string[]): any; // the first that there is
  isTurbopack(): boolean;

  // Requests
  isPartial(headers: object): boolean; // the client's router asks for a part of a page
  metaOf(req: any): any; // for this folder alone
  askedOf(req: any): Asked | undefined;
  giveMeta(req: any, meta: object): void;
  askForErrorPage(req: any): void;
  isNoFallback(error: any): boolean; // the next match is to be tried
  isHarmless(error: any): boolean; // nothing of the user's has failed
  isAborted(error: any): boolean; // the client has left

  // The render server
  serverOf(handlers: any): Server;
  /** `instead` runs in place of the user's instrumentation; what that does is given back. */
  deferInstrumentation(instead: (server: Server) => Promise<void>): ((server: Server) => Promise<void>) | undefined;
  previewOf(server: Server): any; // keys of draft mode
  watchStaticPaths(server: Server, around: (ask: () => any) => any, told: (paths: string[]) => void): void;

  // Static or not
  isStaticByDefault(): boolean; // a route handler that says nothing of itself
  hooksOfStores(on: { guard: Guard; isWatched(): boolean; becameDynamic(): void }): Hook[];
  isOfRequest(): boolean; // what runs now is not inside of a cache

  // The user's code
  hooksOfRouteModules(on: {
    guard: Guard;
    lacks(name: string): void;
    invocationOf(definition?: Definition): any; // of what runs now
    handled(invocation: any): void; // Next's class has got it
    begins(invocation: any): void;
    handlerOf(invocation: any, handler: any, moduleOf: () => any): any; // what is called in its place
    apiHandlerOf(handler: Function): Function;
    loadsSegment(role: string, file: string, load: () => any): any; // a layout or page of an app page
    loadsAction(id: any, loadById: any, load: () => any): any; // the module of a page's Server Actions
    rendersPage(invocation: any, page: Page): void;
  }): Hook[];
  hasMetRouteModules(): boolean; // the class that route handlers are called by is one that was hooked
  hooksOfSandbox(on: {
    guard: Guard;
    lacks(): void;
    context(realm: any): void; // the globals of an edge function
    file(name: string): void; // is evaluated there
    failed(error: any): void; // evaluating has thrown
    entry(run: Function, args: any[]): any; // is called in place of a function's entry
  }): Hook[];
  watchEval(realm: any, check: (text: string, below: Function) => void): void;
  evaluatesModules(): boolean; // by `eval`, in the sandbox
  watchNodeMiddleware(server: Server, on: { guard: Guard; run(adapter: Function, params: any): any }): void;
}

/** In `next dev`. */
export interface NextInDev extends Next {
  hooksOfServer(on: {
    routerFound(): void;
    isIsolated(): boolean;
    ready(): void; // Next answers
    renderServerFound(): void;
    rendering(options: any): void; // once, before it is made
    rendered(server: Server): void;
    request(req: any, res: any, pass: () => any, url: any): any; // after middleware and rewrites, or for middleware; `url`: what is asked for, parsed
    field(dir: string, field: string, value: any): void; // the bundler tells of routes and files
  }): Hook[];
  isMethod(server: Server, field: string): boolean;
  isEnvironment(field: string): boolean; // .env files were read again
  edgePages(server: Server): string[];
  runsGroups(): boolean; // one process may run several functions
  writeWhole(hotReloader: any): void; // no compiled file is ever half

  // Which function
  findFunction(req: any, given: { meta: any; server: any; errorOf(page: string): Promise<any>; pathOf(url: string): string }): Promise<Definition>;
  localeOf(server: any, req: any, meta: any, pathname: string): any; // for this folder alone
  watchMatches(server: Server, met: (definition: Definition) => void): void;
  plainMeta(meta: any): any; // what can be sent
  noFallback(): any; // a class of errors, which isNoFallback() knows
  kNotFound: string; // for this folder alone

  // Compiling
  bundlerOf(options: any): { service: any; hotReloader: any; canEnsure: boolean; isWhole: boolean };
  compileFunction(service: any, server: any, definition: Definition, url: string): Promise<boolean>; // whether it compiles
  watchCompiles(hotReloader: any, around: (page: string | undefined, compile: () => any) => any): void;
  errorsOf(hotReloader: any, page: string): Promise<any[]>;
  watchErrors(hotReloader: any, on: { asked(page: string): void; isNeeded(): boolean; filter(page: string, errors: any[], all: () => Promise<any[]>): any }): void;
  compileAhead(service: any, server: any, page: string, kind: string): Promise<boolean>; // false: it cannot be, before it is asked for
  compileMiddleware(server: any, page: string): Promise<boolean>; // false: there is none
  instrumentationOf(server: any): string | undefined;
  isInstrumentation(server: any, asked: any): boolean; // which would be compiled again each time
  askFor(page: string): any; // what the bundler service is asked by
  skipInstrumentation(server: any): Promise<void>; // what remains of it where it does not run
  keepEntries(hotReloader: any): void;
  isMissingPage(error: any): boolean;

  // What is compiled anew
  hooksOfForgotten(told: { found?(): void; file(name: string): void; edgeFile?(name: string): void }): Hook[];
  isOfServer(file: any): boolean;
  isBookkeeping(file: string): boolean;

  // For instances
  methodsOf(service: () => any, server: () => any): Record<string, Function>; // what an instance calls here, see Own
  clientVersionOf(service: any): any;
  refreshHashOf(service: any): any;

  // Middleware
  middlewareFile(server: Server): string | undefined;
  middlewareOf(server: any): { page: string; note: any; isEdge(): boolean } | undefined; // compiled, or about to be
  bodyOf(req: any): { cloneBodyStream(): any; finalize(): Promise<void> } | undefined; // of a request that has one
  middlewareAnswered(req: any, response: Response): Error; // what the render server throws for its router
}

/** What stands for Next's bundler in an instance. `name`s are those of methodsOf() and `ensurePage`. */
export interface Own {
  compile(page: string | undefined, name: string, ...args: any[]): Promise<any>;
  ask(name: string, ...args: any[]): Promise<any>;
  tell(name: string, ...args: any[]): void;
  ensureChunk(chunk: any): Promise<any>;
  isKnown(page: string): boolean; // compiled, by next dev, for this request
  sync(): { hmr?: any; refresh?: any } | undefined; // clientVersionOf() and refreshHashOf() at the dispatch
  logError(error: any, type?: string): any;
  revalidate(asked: any): Promise<any>;
}

/** In an instance. */
export interface NextInInstance extends Next {
  isOwnVariable(name: string): boolean; // by which Next's processes talk to each other
  readEnvironment(files: { path: string; contents: string; env: object }[]): void;
  hooksOfNoEnvironment(): Hook[];

  isOfTraces(name: string): boolean; // a variable that says nothing of how it runs
  prepareRenderServer(config: any): void; // the next two
  giveConfig(config: any): void;
  loadRenderServer(): void;
  beginRendering(): void; // before a page of `app/` is evaluated or rendered
  configOf(config: any): any; // for this folder alone
  forgetConfig(): void;
  startRenderServer(given: { options: any; server: any; fields: any; own: Own }): Promise<{
    server: Server;
    setField(dir: string | undefined, field: string, value: any): void;
    answer(req: any, res: any, url?: any): Promise<void>;
    provideContext(): void;
  }>;
  completeServer(server: any, by: { revalidate(asked: any): Promise<any>; getStaticPaths(asked: any): Promise<any> }): void;
  takePreview(server: Server, preview: any): void;
  loadInstrumentation(server: any): Promise<void>;
  kRoutesChanged: string; // the field by which next dev tells of other routes
  seeRoutesAnew(server: any): Promise<void> | undefined;

  giveMiddleware(server: any, note: any): void;
  evaluateMiddleware(server: any): Promise<any>;
  watchMiddlewareErrors(server: Server, thrown: (error: any) => any): boolean;
  middlewareAnswerOf(error: any): { response: Response; waitUntil?: any } | undefined;
  middlewarePasses(): { response: Response; waitUntil: Promise<any> };

  answerSourceMaps(find: (url: string) => any): boolean;
  logError(error: any, type: string | undefined, ask: (error: any, type?: string) => any): any; // `ask`: next dev does
  leaveRejections(): void; // to us

  forget(files: string[]): void;
  hooksOfManifests(reads: (file: string, key: string | undefined, read: () => any) => any): Hook[];
  evaluate(server: any, page: string, isAppPath: boolean, dir: string): Promise<{ segments: { name: string; exports: any; file: string }[]; loadClient: () => Promise<number> } | undefined>;
  isOwnSegment(file: string | undefined): boolean;
  serverJsx(): any;

  isPartlyStatic(config: any): boolean;
  caches(on: {
    asked(): void; // the cache
    entry(entry: { every: number; tags: string[] }): void; // was read or written
    writes(settled: Promise<void>): void;
    revalidated(): void;
    tag(tag: string, note: any): void;
    get(key: string): Promise<string | undefined>; // of what all instances share
    set(key: string, text: string, seconds: number, tags: string[]): Promise<void>;
  }): { hooks: Hook[]; take(tag: string, note: any): void; provideRemote(): void };
}
