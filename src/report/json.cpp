// The whole model as JSON. Its schema is docs/report-schema.json; a new field is added there too (a test
// validates).
#include <fmt/format.h>

#include "base/json_out.hpp"
#include "report/words.hpp"

namespace vsim::report {
namespace {

void problem(JsonOut& o, const Problem& p, const Extras& extras) {
  const auto& info = limits::info(p.code);
  o.text("code", info.name).flag("violation", is_violation(p)).flag("enforced", p.enforced);
  o.number("count", p.count).text("message", p.message.empty() ? info.title : std::string_view(p.message));
  o.text("route", p.route).text("file", p.file.empty() ? p.file : extras.prefix + p.file);
  if (p.line > 0) o.number("line", p.line);
  if (p.column > 0) o.number("column", p.column);
  o.text("path", p.path).text("limit_key", p.limit_key).text("limit", p.limit).text("measured", p.measured);
  o.text("why", info.why).text("fix", fix_of(p)).text("source", source_of(p));
  o.text("docs", docs_of(p.code));
  if (!p.from.profile.empty() || !p.from.file.empty()) {
    JsonOut f = o.in("from", '{');
    f.text("profile", p.from.profile).text("file", p.from.file);
    if (p.from.line > 0) f.number("line", p.from.line);
    f.text("source", p.from.source).text("as_of", p.from.as_of).text("confidence", p.from.confidence);
    f.text("note", p.from.note);
  }
  {
    JsonOut f = o.in("first", '{');
    f.ms("at_ms", p.at);
    if (!p.method.empty()) {
      f.text("method", p.method).text("target", p.target).text("request_id", p.request_id);
      f.text("instance", p.instance).number("status", p.status);
    }
  }
  if (const Expected* e = expected(p, extras)) o.flag("expected", true).text("expected_reason", e->reason);
  if (const StaticFinding* f = foreseen(p, extras)) {
    JsonOut said = o.in("foreseen", '{');
    said.text("rule", f->rule).text("file", extras.prefix + f->file);
    if (f->line > 0) said.number("line", f->line);
  }
}

void call(JsonOut& o, const InvocationRecord& i, const Extras& extras) {
  o.text("request_id", i.request_id).text("method", i.method).text("target", i.target);
  o.text("traffic", to_string(i.traffic)).number("status", i.status);
  o.text("route", i.route).text("file", i.file.empty() ? i.file : extras.prefix + i.file);
  o.text("kind", i.kind).text("instance", i.instance).text("start", i.start);
  o.ms("began_ms", i.began).ms("total_ms", i.total).ms("charged_ms", i.charged).ms("compile_ms", i.compile);
  o.ms("waited_ms", i.waited).ms("init_ms", i.init).ms("own_requests_ms", i.own_requests);
  if (i.handler) o.ms("handler_ms", *i.handler);
  if (i.first_byte > Duration{}) o.ms("first_byte_ms", i.first_byte);
  o.number("bytes_in", i.bytes_in).number("bytes_out", i.bytes_out);
  o.text("ended_by", to_string(i.outcome.ended_by)).text("phase", to_string(i.outcome.phase));
  if (i.outcome.code != limits::Code::none) o.text("code", limits::info(i.outcome.code).name);
  if (i.client_left) o.flag("client_left", true);
  if (!i.problems.empty()) o.raw("problems", fmt::format("[{}]", fmt::join(i.problems, ",")));
}

void about(JsonOut& o, const Run& run) {
  JsonOut r = o.in("run", '{');
  r.text("version", run.version).text("url", run.url).text("profile", run.profile);
  r.text("profile_as_of", run.profile_as_of).text("app", run.app).text("isolation", run.isolation);
  r.number("time_scale", run.time_scale).text("started", iso_time(run.started));
  if (!run.switches.empty()) {
    JsonOut list = r.in("switches", '[');
    for (const SwitchRecord& s : run.switches) {
      JsonOut one = list.item();
      one.ms("at_ms", s.at).text("profile", s.profile).text("profile_as_of", s.profile_as_of);
      one.text("isolation", s.isolation).number("time_scale", s.time_scale);
    }
  }
  if (!run.deployments.empty()) {
    JsonOut list = r.in("deployments", '[');
    for (const Deployment& d : run.deployments) {
      JsonOut one = list.item();
      one.ms("at_ms", d.at).number("deployment", d.came.deployment);
      one.number("sockets", d.came.sockets).number("streams", d.came.streams);
      if (!d.scored) continue;
      one.number("reconnected", d.score.reconnected).number("ended", d.score.ended);
      one.number("left", d.score.left).number("lost", d.score.lost).number("open", d.score.open);
      if (d.score.reconnected > 0) one.ms("slowest_ms", d.score.slowest);
    }
  }
  r.ms("length_ms", run.length).flag("stopped", run.stopped).text("stop_reason", run.stop_reason);
  if (run.stopped) r.number("exit_code", run.exit_code);
  if (!run.command.empty()) {
    JsonOut c = r.in("command", '{');
    c.text("line", run.command).flag("ended", run.command_ended);
    if (run.command_ended) c.number("exit_code", run.command_exit);
  }
}

void instances(JsonOut& o, const Run& run) {
  JsonOut list = o.in("instances", '[');
  for (const InstanceRecord& i : run.instances) {
    JsonOut one = list.item();
    one.text("name", i.name).text("function", i.function).text("why", i.why).text("death", i.death);
    one.number("served", i.served).number("memory", i.memory);
    if (i.pid != 0) one.number("pid", i.pid);
    JsonOut stays = one.in("states", '[');
    for (const Stay& s : i.stays) stays.item().text("state", s.state).ms("since_ms", s.since);
  }
}

}  // namespace

std::string render_json(const Run& run, const Extras& extras) {
  std::string text;
  {
    JsonOut o(text, '{');
    o.text("schema", "vercel-sim-report-1");
    about(o, run);
    {
      JsonOut s = o.in("summary", '{');
      s.number("violations", run.violations()).number("warnings", run.warnings());
      s.number("requests", run.requests).number("invocations", run.invocations);
      s.number("prerenders", run.prerenders).number("direct", run.direct).number("sockets", run.sockets);
      s.number("instances", run.instances.size()).number("crashes", run.crashes);
      s.number("background_works", run.late_words.size());
    }
    {
      JsonOut list = o.in("problems", '[');
      for (const Problem& p : run.problems) {
        JsonOut one = list.item();
        problem(one, p, extras);
      }
    }
    {
      JsonOut list = o.in("routes", '[');
      for (const Route& r : run.routes) {
        JsonOut one = list.item();
        one.text("route", r.route).text("file", r.file.empty() ? r.file : extras.prefix + r.file);
        one.text("kind", r.kind).number("invocations", r.invocations).number("cold", r.cold);
        one.ms("charged_ms", r.charged).ms("longest_ms", r.longest);
      }
    }
    {
      JsonOut list = o.in("invocations", '[');
      for (const InvocationRecord& i : run.calls) {
        JsonOut one = list.item();
        call(one, i, extras);
      }
    }
    instances(o, run);
    {
      JsonOut list = o.in("notices", '[');
      for (const NoticeRecord& n : run.notices) {
        JsonOut one = list.item();
        one.text("level", to_string(n.level)).text("code", n.code).text("message", n.message);
        one.text("fix", n.fix).text("file", n.file.empty() ? n.file : extras.prefix + n.file);
        if (n.line > 0) one.number("line", n.line);
      }
    }
    JsonOut list = o.in("findings", '[');
    for (const StaticFinding& f : extras.findings) {
      JsonOut one = list.item();
      one.text("rule", f.rule).text("level", f.level).text("file", extras.prefix + f.file);
      if (f.line > 0) one.number("line", f.line);
      if (f.column > 0) one.number("column", f.column);
      one.text("message", f.message).text("fix", f.fix);
      one.number("struck", times_struck(f, run));
    }
  }
  return text + "\n";
}

}  // namespace vsim::report
