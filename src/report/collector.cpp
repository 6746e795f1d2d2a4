#include "report/collector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/place.hpp"
#include "base/text.hpp"
#include "event/json_codec.hpp"
#include "event/mask.hpp"

namespace vsim::report {
namespace {

// As the JSON lines would give it back: what is not UTF-8 becomes U+FFFD, byte by byte.
std::string clean(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    out += n == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, n);
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}
std::string masked(std::string_view target) {
  std::string out;
  event::mask_target(target, [&](std::string_view piece) { out += piece; });
  return clean(out);
}

std::string path_of(std::string_view target) { return std::string(target.substr(0, target.find('?'))); }

}  // namespace

struct Collector::Fold {
  Collector& c;
  Duration at;

  Run& run() { return c.run_; }

  static void place(Problem& p, std::string_view text) {
    Place read = parse_place(text);
    p.file = clean(read.file);
    p.line = read.line;
    p.column = read.column;
  }

  static Problem problem_of(const limits::Verdict& v) {
    Problem p;
    p.code = v.code;
    p.enforced = v.enforced;
    p.route = clean(v.route);
    place(p, v.file);
    p.limit_key = clean(v.limit_key);
    p.limit = clean(v.limit);
    p.measured = clean(v.measured);
    p.fix = clean(v.fix);
    if (v.provenance != nullptr) {
      const auto& f = *v.provenance;
      p.from = {clean(f.profile), clean(f.file),       f.line,       clean(f.source),
                clean(f.as_of),   clean(f.confidence), clean(f.note)};
    }
    return p;
  }

  // The index of the problem that says the same of the same place.
  std::size_t add(Problem p) {
    if (p.route.empty()) p.path = path_of(p.target);
    std::string key;
    for (const std::string_view part :
         {limits::info(p.code).name, std::string_view(p.enforced ? "!" : "?"), std::string_view(p.route),
          std::string_view(p.file), std::string_view(p.path), std::string_view(p.message),
          std::string_view(p.limit_key), std::string_view(p.limit)})
      key.append(part).push_back('\0');
    key += std::to_string(p.line);  // two variables of one file are two
    const auto [at_index, is_new] = c.problems_.try_emplace(std::move(key), run().problems.size());
    if (is_new) {
      p.at = at;
      run().problems.push_back(std::move(p));
    }
    ++run().problems[at_index->second].count;
    return at_index->second;
  }

  void operator()(const event::RunStarted& e) {
    Run& r = run();
    r.version = clean(e.version);
    r.url = clean(e.url);
    r.profile = clean(e.profile);
    r.profile_as_of = clean(e.profile_as_of);
    r.app = clean(e.app);
    r.isolation = clean(e.isolation);
    r.time_scale = e.time_scale;
  }
  void operator()(const event::ProfileChanged& e) {
    run().switches.push_back(
        {at, clean(e.profile), clean(e.profile_as_of), clean(e.isolation), e.time_scale});
  }
  void operator()(const event::Deployed& e) {
    Deployment& d = run().deployments.emplace_back();
    d.at = at;
    d.came = e;
    d.came.name = {};  // it is the event's
  }
  void operator()(const event::DeploymentMet&) {}
  void operator()(const event::DeploymentScored& e) {
    for (Deployment& d : run().deployments) {
      if (d.came.deployment != e.deployment) continue;
      d.score = e;
      d.scored = true;
    }
  }
  void operator()(const event::RunStopped& e) {
    run().stopped = true;
    run().stop_reason = clean(e.reason);
    run().exit_code = e.exit_code;
  }
  void operator()(const event::AppChanged& e) {
    if (e.state == event::AppState::crashed) ++run().crashes;
  }
  void operator()(const event::InvocationStarted&) {}
  void operator()(const event::InvocationRunning& e) { c.running_[static_cast<std::uint64_t>(e.id)] = at; }
  void operator()(const event::RouteCompiled&) {}
  void operator()(const event::BytesPassed&) {}
  void operator()(const event::SocketOpened&) { ++run().sockets; }

  void operator()(const event::InvocationEnded& e) {
    using event::Traffic;
    Run& r = run();
    const auto ran = c.running_.extract(static_cast<std::uint64_t>(e.id));
    if (e.traffic == Traffic::internal && e.verdicts.empty()) return;
    ++r.requests;
    if (e.traffic == Traffic::direct) ++r.direct;
    if (e.traffic == Traffic::prerender) ++r.prerenders;
    if (e.traffic == Traffic::invocation || e.traffic == Traffic::socket) ++r.invocations;
    const bool kept = e.traffic == Traffic::invocation || e.traffic == Traffic::socket ||
                      e.traffic == Traffic::prerender || !e.verdicts.empty();
    if (!kept) return;

    InvocationRecord i;
    i.id = e.id;
    i.request_id = clean(e.request_id);
    i.method = clean(e.method);
    i.target = masked(e.target);
    i.route = clean(e.route);
    i.file = clean(e.file);
    i.kind = clean(e.kind);
    i.instance = clean(e.instance);
    i.start = clean(e.start);
    i.traffic = e.traffic;
    i.status = e.status;
    i.began = at - e.total;
    i.total = e.total;
    i.charged = e.charged;
    i.compile = e.compile;
    i.waited = e.waited;
    i.init = e.init;
    i.own_requests = e.own_requests;
    if (!ran.empty()) i.handler = ran.mapped() - i.began;
    i.first_byte = e.first_byte;
    i.bytes_in = e.bytes_in;
    i.bytes_out = e.bytes_out;
    i.outcome = e.outcome;
    i.client_left = e.client_left;
    for (const limits::Verdict& v : e.verdicts) note(i, v);
    i.said_in_time = i.problems.size();

    if (!i.route.empty() && e.traffic != Traffic::prerender) {
      const auto [index, is_new] = c.routes_.try_emplace(i.route + '\0' + i.file, r.routes.size());
      if (is_new) r.routes.push_back({i.route, i.file, i.kind});
      Route& route = r.routes[index->second];
      ++route.invocations;
      if (!i.start.empty() && i.start != "warm") ++route.cold;
      route.charged += i.charged;
      route.longest = std::max(route.longest, i.charged);
    }
    if (!i.instance.empty()) ++instance(i.instance).served;
    if (e.id != InvocationId::none) c.calls_[static_cast<std::uint64_t>(e.id)] = r.calls.size();
    r.calls.push_back(std::move(i));
  }

  std::size_t note(InvocationRecord& i, const limits::Verdict& v) {
    Problem p = problem_of(v);
    if (p.route.empty()) p.route = i.route;
    if (p.file.empty()) p.file = i.file;
    p.method = i.method;
    p.target = i.target;
    p.request_id = i.request_id;
    p.instance = i.instance;
    p.status = i.status;
    const std::size_t index = add(std::move(p));
    if (std::find(i.problems.begin(), i.problems.end(), index) == i.problems.end())
      i.problems.push_back(index);
    return index;
  }

  void operator()(const event::BackgroundWork& e) {
    LateWord late{e.id, clean(e.request_id), clean(e.route), clean(e.instance), at, {}};
    const auto known = c.calls_.find(static_cast<std::uint64_t>(e.id));
    InvocationRecord alone;  // its end was not told, or not kept: a prerender of an earlier run
    alone.request_id = late.request_id;
    alone.route = late.route;
    alone.file = clean(e.file);
    alone.instance = late.instance;
    for (const limits::Verdict& v : e.verdicts)
      late.problems.push_back(note(known != c.calls_.end() ? run().calls[known->second] : alone, v));
    run().late_words.push_back(std::move(late));
  }

  InstanceRecord& instance(const std::string& name) {
    const auto [index, is_new] = c.instances_.try_emplace(name, run().instances.size());
    if (is_new) run().instances.emplace_back().name = name;
    return run().instances[index->second];
  }
  void operator()(const event::InstanceChanged& e) {
    InstanceRecord& i = instance(clean(e.instance));
    if (i.stays.empty() && !e.from.empty()) i.stays.push_back({clean(e.from), at});
    i.stays.push_back({clean(e.to), at});
    if (!e.function.empty()) i.function = clean(e.function);
    if (!e.why.empty()) i.why = clean(e.why);
    if (!e.death.empty()) i.death = clean(e.death);
    i.memory = std::max(i.memory, e.memory);
    if (e.pid != 0) i.pid = e.pid;
  }
  void operator()(const event::CommandRun& e) {
    run().command = clean(e.command);
    run().command_ended = e.ended;
    run().command_exit = e.ended ? e.exit_code : 0;
  }
  void operator()(const event::Notice& e) {
    const limits::Code code = limits::find_code(e.code);
    if (code == limits::Code::none) {
      run().notices.push_back(
          {e.level, clean(e.code), clean(e.message), clean(e.fix), clean(e.file), e.line});
      return;
    }
    // A verdict on the project itself: this deployment would fail.
    Problem p;
    p.code = code;
    p.enforced = e.level == event::Level::error;
    p.file = clean(e.file);
    p.line = e.line;
    p.message = clean(e.message);
    p.fix = clean(e.fix);
    add(std::move(p));
  }
};

void Collector::on_event(const event::Stamp& stamp, const event::Event& event) {
  if (!any_) {
    any_ = true;
    zero_ = stamp.at;
    run_.started = stamp.wall;
  }
  const Duration at = stamp.at - zero_;
  run_.length = std::max(run_.length, at);
  if (keeps_) keep(stamp, event);
  std::visit(Fold{*this, at}, event);
}

// A browser opens some megabytes in a second. What was said of the app is kept longer than what went well.
void Collector::keep(const event::Stamp& stamp, const event::Event& event) {
  constexpr std::size_t kMany = 4'000'000, kMost = 16'000'000;
  const auto* ended = std::get_if<event::InvocationEnded>(&event);
  const auto* background = std::get_if<event::BackgroundWork>(&event);
  const bool said = (ended != nullptr && !ended->verdicts.empty()) || background != nullptr ||
                    std::holds_alternative<event::Notice>(event) ||
                    std::holds_alternative<event::RunStopped>(event) ||
                    std::holds_alternative<event::ProfileChanged>(event) ||
                    std::holds_alternative<event::Deployed>(event) ||
                    std::holds_alternative<event::DeploymentScored>(event) ||
                    std::holds_alternative<event::CommandRun>(event);
  if (run_.events.size() > (said ? kMost : kMany))
    ++run_.events_left_out;
  else
    event::encode(run_.events, stamp, event, zero_);
}

Result<Recorded> read_events(std::string_view text, std::string_view name, bool keep_events) {
  Recorded out;
  Collector collector;
  if (keep_events) collector.keep_events();
  std::size_t number = 0, events = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t newline = text.find('\n');
    const bool whole = newline != std::string_view::npos;
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(whole ? newline + 1 : text.size());
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto decoded = event::decode(line);
    if (decoded) {
      collector.on_event(decoded->stamp(), decoded->event());
      ++events;
    } else if (decoded.error().message.starts_with("unknown event type")) {
      ++out.unknown;
    } else if (!whole && events > 0) {
      out.cut = true;
    } else {
      return Error{fmt::format("{}:{}: {}", name, number, decoded.error().message),
                   "A file that vercel-sim wrote with --events is needed: one JSON object on each line."};
    }
  }
  if (events == 0)
    return Error{fmt::format("{}: holds no event", name),
                 "A file that vercel-sim wrote with --events is needed: vercel-sim run --events FILE"};
  out.run = collector.run();
  return out;
}

}  // namespace vsim::report
