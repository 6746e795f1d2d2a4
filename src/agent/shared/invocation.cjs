'use strict';
// An invocation: a request that the edge has numbered, and what it tells of itself (docs/agent-protocol.md). In next dev and in instances.

const kCompileWorthTelling = 5;  // ms

function round(ms) {
  return Math.round(ms * 10) / 10;
}

module.exports = function (sim) {
  const { options, plain, tell } = sim;

  class Invocation {
    constructor(id) {
      this.id = id;
      this.isWarming = false;  // an instance's own, before its first request: nobody hears of it (warm.cjs)
      this.path = '';  // as the client asked
      this.page = undefined;  // once dispatched
      this.kind = '';
      this.runtime = 'nodejs';
      this.isStatic = false;
      this.isHandled = false;  // Next's route module has got it
      this.began = false;  // the user's handler was called
      this.compiling = 0;
      this.compileMs = 0;
      this.compileFrom = 0;
      this.readOnly = true;  // GET or HEAD
      this.isPartial = false;  // the client's router asks for a part of the page
      this.errorPage = false;  // the router now asks for an error page
      this.isForcedStatic = false;  // dynamic = 'force-static': dynamic APIs answer as at build time
      this.usedDynamic = false;
      this.loading = 0;  // modules of an app page that are being loaded
      this.pageLoaded = false;
      this.segments = [];  // of them the layouts and pages, outermost first
      this.kept = undefined;  // () → what is kept of its answer, for the head
      this.answerAt = undefined;  // the line that gives a large answer; '' when it is not known
    }

    tell(message) {
      if (!this.isWarming) tell(message);
    }

    /** @param {{ page: string, kind: string, runtime?: string, isStatic?: boolean, file?: string }} to */
    dispatched({ page, kind, runtime = 'nodejs', isStatic = false, file }) {
      if (this.errorPage && this.page !== undefined) return;  // stays what it was dispatched to first
      if (this.page === page && this.kind === kind && this.isStatic === isStatic) return;
      Object.assign(this, { page, kind, runtime, isStatic });
      sim.seeStatic?.();
      this.tell({ t: 'dispatch', id: this.id, page, kind, runtime, static: isStatic, file: file || undefined });
    }

    setStatic(isStatic) {
      if (this.page === undefined || this.isStatic === isStatic) return;
      this.dispatched({ ...this, isStatic });
    }

    // Next ensures a page several times for each request, mostly in no time: before the handler runs, when no clock is to be paused,
    // only a compile that lasts is told.
    compileStarted(page) {
      if (this.compiling++ > 0) return;
      this.compileFrom = performance.now();
      this.compileTold = false;
      const start = () => {
        this.compileTold = true;
        this.tell({ t: 'compile', id: this.id, page, phase: 'start' });
      };
      if (this.began) start();
      else this.compileTimer = plain.setTimeout(start, kCompileWorthTelling);
    }

    compileEnded(page) {
      if (--this.compiling > 0) return;
      plain.clearTimeout(this.compileTimer);
      const ms = performance.now() - this.compileFrom;
      this.compileMs += ms;
      if (this.compileTold) this.tell({ t: 'compile', id: this.id, page, phase: 'end', ms: round(ms) });
    }

    // The user's own code starts. Only the first time counts.
    begin() {
      if (this.began) return;
      this.began = true;
      this.beganAt = Date.now();
      this.tell({ t: 'handler', id: this.id });
    }

    meta() {
      const kept = this.kept?.() ?? '';
      const at = this.answerAt ? `;at=${encodeURIComponent(this.answerAt)}` : '';
      return (
        `${options.token} page=${encodeURIComponent(this.page)};kind=${this.kind};runtime=${this.runtime};` +
        `static=${this.isStatic ? 1 : 0};compile=${Math.round(this.compileMs)}${kept && `;kept=${kept}`}${at}`
      );
    }
  }

  return { Invocation, round };
};
