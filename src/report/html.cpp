// One HTML file with no script and nothing to load: a policy in its head forbids both, so that whatever a
// path or an error message holds, it stays text.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "report/timeline.hpp"
#include "report/words.hpp"

namespace vsim::report {
namespace {

constexpr std::size_t kMostRows = 2000;  // of a table: more is what the JSON report is for

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--bg:#fff;--fg:#1a1a1a;--dim:#5c5c5c;--line:#e0e0e0;--card:#fafafa;--red:#b3141d;--redbg:#fdecec;--amber:#7a4b00;--amberbg:#fdf3dc;--green:#0b6b2c;--greenbg:#e6f6ea;--blue:#1f5fbf;--pale:#bcd3f5;--life:#eef1f4;--boot:#d9cdf0;--still:#d3d9df;--link:#0b57d0}
@media (prefers-color-scheme:dark){:root{--bg:#111214;--fg:#ececec;--dim:#a3a7ad;--line:#33363b;--card:#191b1e;--red:#ff8a8a;--redbg:#3a1517;--amber:#f3c969;--amberbg:#33270a;--green:#74d58f;--greenbg:#0f2c18;--blue:#7fb0ff;--pale:#2b4a7c;--life:#24282d;--boot:#43366b;--still:#3a4047;--link:#8ab4ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:1000px;margin:0 auto;padding:0 20px}
header{padding-top:32px}
h1{font-size:16px;font-weight:600;color:var(--dim);margin:0 0 8px}
p,h3,li,summary,figcaption,footer{overflow-wrap:anywhere}
h2{font-size:20px;margin:40px 0 12px}
h3{font-size:16px;margin:0}
a{color:var(--link)}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.92em;overflow-wrap:anywhere}
.verdict{font-size:28px;line-height:1.25;font-weight:650;margin:0 0 6px}
.fail{color:var(--red)}.pass{color:var(--green)}
.facts{color:var(--dim);margin:0}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:20px 0 0;padding:0;list-style:none}
.tiles li{border:1px solid var(--line);border-radius:10px;padding:10px 16px;background:var(--card);min-width:110px}
.tiles b{display:block;font-size:22px;font-variant-numeric:tabular-nums}
.tiles span{color:var(--dim);font-size:13px}
article{border:1px solid var(--line);border-left:5px solid var(--amber);border-radius:10px;background:var(--card);padding:16px 20px;margin:0 0 16px}
article.violation{border-left-color:var(--red)}
.tag{display:inline-block;border-radius:999px;padding:1px 10px;font-size:12px;font-weight:600;background:var(--amberbg);color:var(--amber);margin-right:8px}
.tag.violation{background:var(--redbg);color:var(--red)}.tag.meant{background:var(--greenbg);color:var(--green)}
article p{margin:8px 0}
article .fix{background:var(--greenbg);border-radius:8px;padding:8px 12px}
.table{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;vertical-align:top;padding:6px 12px 6px 0;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
details{margin:12px 0}summary{cursor:pointer;font-weight:600}
figure{margin:0}.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--card)}
figcaption{color:var(--dim);font-size:13px;margin-top:6px}
svg{display:block}svg text{font:11px ui-monospace,Menlo,Consolas,monospace}
.tick,.name{fill:var(--dim)}.grid{stroke:var(--line)}.cut{stroke:var(--dim);stroke-dasharray:4 4}
.call{fill:var(--pale)}.call.charged{fill:var(--blue)}.bad{fill:var(--redbg);stroke:var(--red)}.bad.charged{fill:var(--red)}.mark{fill:var(--fg);font-weight:700}
.s-spawning,.s-binding{fill:var(--boot)}.s-spare,.s-bound,.s-leased,.s-idle,.s-retired,.s-dying{fill:var(--life)}.s-frozen{fill:var(--still)}
.key{display:inline-block;width:12px;height:12px;border-radius:3px;margin:0 2px 0 8px;vertical-align:-1px;border:1px solid var(--line)}
.key.call{background:var(--blue)}.key.bad{background:var(--red)}.key.boot{background:var(--boot)}.key.life{background:var(--life)}.key.still{background:var(--still)}
footer{color:var(--dim);font-size:13px;margin-top:48px;padding-bottom:40px}
@media print{.scroll{overflow:visible}}
)";

std::string code(std::string_view text) { return "<code>" + html(text) + "</code>"; }

// Only what is surely a web address becomes a link.
std::string link(std::string_view url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return html(url);
  return fmt::format("<a href=\"{0}\" rel=\"noreferrer\">{0}</a>", html(url));
}

std::string status(int n) { return n == 0 ? "none" : std::to_string(n); }

void header(std::string& out, const Run& run, const Extras& extras) {
  const std::size_t n = run.violations();
  out += "<header>\n<h1>vercel-sim report</h1>\n";
  const std::size_t expected_ones = meant(run, extras);
  const bool failed = n > expected_ones;
  out += fmt::format(
      "<p class=\"verdict {}\">{} {}{} on {}</p>\n", failed ? "fail" : "pass", failed ? "✗" : "✓",
      n == 0 ? std::string("No violation") : number(n, "violation", "violations"),
      expected_ones > 0 ? fmt::format(", {} expected", expected_ones) : std::string(), html(run.profile));
  out += fmt::format(
      "<p class=\"facts\">{}{}, {}", code(run.app.empty() ? run.url : run.app),
      run.profile_as_of.empty() ? std::string() : fmt::format(", limits as of {}", html(run.profile_as_of)),
      fmt::format("<time datetime=\"{0}\">{0}</time>", iso_time(run.started)));
  if (!run.isolation.empty()) out += fmt::format(", isolation {}", html(run.isolation));
  if (run.time_scale != 1) out += fmt::format(", limits divided by {}", run.time_scale);
  out += "</p>\n";
  if (!run.command.empty())
    out += fmt::format("<p class=\"facts\">{} {}</p>\n", code(run.command),
                       run.command_ended ? fmt::format("exited with {}", run.command_exit) : "did not end");
  if (const std::string end = ending(run); !end.empty())
    out += fmt::format("<p class=\"facts fail\">{}</p>\n", html(end));
  out += "<ul class=\"tiles\">\n";
  const auto tile = [&](std::string_view name, std::string_view value) {
    out += fmt::format("<li><b>{}</b><span>{}</span></li>\n", value, name);
  };
  tile("violations", std::to_string(n));
  tile("warnings", std::to_string(run.warnings()));
  tile("requests", std::to_string(run.requests));
  tile("of functions", std::to_string(run.invocations));
  if (!run.instances.empty()) tile("instances", std::to_string(run.instances.size()));
  tile("duration", human_duration(run.length));
  out += "</ul>\n</header>\n";
}

void card(std::string& out, const Group& g, const Extras& extras) {
  const auto& info = limits::info(g.code);
  const std::string_view kind = g.violation ? "violation" : "warning";
  out += fmt::format("<article class=\"{}\" id=\"{}-{}\">\n", kind, kind, info.name);
  out += fmt::format("<h3><span class=\"tag {}\">{}</span>{} <small>{}</small></h3>\n", kind, kind,
                     code(info.name), times(g.count));
  out += fmt::format("<p><strong>{}</strong></p>\n<p>{}</p>\n", html(info.title), html(info.why));
  out +=
      "<div class=\"table\"><table><thead><tr><th>where</th><th>limit and measured</th><th>first</th>"
      "<th class=\"n\">times</th></tr></thead><tbody>\n";
  std::vector<std::string_view> fixes;
  for (const Problem* p : g.places) {
    const std::string file = file_of(*p, extras);
    out += fmt::format("<tr><td>{}", code(place_of(*p)));
    if (!file.empty() && file != place_of(*p)) out += "<br>" + code(file);
    if (const Expected* e = expected(*p, extras))
      out += fmt::format("<br><span class=\"tag meant\">expected</span>{}", html(e->reason));
    if (const StaticFinding* f = foreseen(*p, extras))
      out += fmt::format("<br><small>{} said so at {}</small>", code(f->rule),
                         code(fmt::format("{}{}:{}", extras.prefix, f->file, f->line)));
    out += fmt::format("</td><td>{}{}{}</td><td>{}</td><td class=\"n\">{}</td></tr>\n", html(p->message),
                       p->message.empty() || limit_of(*p).empty() ? "" : "<br>", html(limit_of(*p)),
                       p->method.empty() ? std::string() : code(request_of(*p)), p->count);
    if (std::find(fixes.begin(), fixes.end(), fix_of(*p)) == fixes.end()) fixes.push_back(fix_of(*p));
  }
  out += "</tbody></table></div>\n";
  for (const std::string_view fix : fixes)
    out += fmt::format("<p class=\"fix\"><strong>Fix.</strong> {}</p>\n", html(fix));
  const Problem& first = *g.places.front();
  out += fmt::format("<p class=\"facts\">Source: {}", link(source_of(first)));
  if (!first.from.as_of.empty()) out += fmt::format(", as of {}", html(first.from.as_of));
  if (!first.from.confidence.empty()) out += fmt::format(" ({})", html(first.from.confidence));
  if (!first.from.file.empty() && first.from.line > 0)
    out += fmt::format(", {}", code(fmt::format("{}:{}", first.from.file, first.from.line)));
  if (!first.from.note.empty()) out += fmt::format(". {}", html(first.from.note));
  out += fmt::format(". More: {}</p>\n</article>\n", code(fmt::format("vercel-sim explain {}", info.name)));
}

void routes(std::string& out, const Run& run, const Extras& extras) {
  if (run.routes.empty()) return;
  out +=
      "<h2>Functions</h2>\n<div class=\"table\"><table><thead><tr><th>route</th><th>file</th><th "
      "class=\"n\">invocations</th><th class=\"n\">not warm</th><th class=\"n\">charged</th><th "
      "class=\"n\">longest</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(run.routes.size(), kMostRows); ++i) {
    const Route& r = run.routes[i];
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td></tr>\n",
        code(r.route), r.file.empty() ? std::string() : code(extras.prefix + r.file), r.invocations, r.cold,
        human_duration(r.charged), human_duration(r.longest));
  }
  out += "</tbody></table></div>\n";
}

void more_rows(std::string& out, std::size_t all) {
  if (all > kMostRows)
    out += fmt::format("<p class=\"facts\">{} more are in the JSON report.</p>\n", all - kMostRows);
}

void calls(std::string& out, const Run& run) {
  if (run.calls.empty()) return;
  // Those with something to say first: a table of thousands is read from its top.
  std::vector<const Invocation*> rows;
  for (const Invocation& i : run.calls) rows.push_back(&i);
  std::stable_partition(rows.begin(), rows.end(), [](const Invocation* i) { return !i->problems.empty(); });
  out += fmt::format(
      "<details><summary>Requests ({})</summary>\n<div class=\"table\"><table><thead><tr><th "
      "class=\"n\">at</th><th>request</th><th class=\"n\">status</th><th>instance</th><th "
      "class=\"n\">charged</th><th class=\"n\">total</th><th>said</th></tr></thead><tbody>\n",
      rows.size());
  for (std::size_t n = 0; n < std::min(rows.size(), kMostRows); ++n) {
    const Invocation& i = *rows[n];
    std::string said;
    for (const std::size_t p : i.problems)
      said += fmt::format("{}{}", said.empty() ? "" : "<br>", code(code_name(run.problems[p])));
    if (i.client_left) said += std::string(said.empty() ? "" : "<br>") + "client left";
    out += fmt::format(
        "<tr><td class=\"n\">{} s</td><td>{}</td><td class=\"n\">{}</td><td>{} {}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>\n",
        seconds(i.began), code(i.method + " " + i.target), status(i.status), html(i.instance), html(i.start),
        human_duration(i.charged), human_duration(std::max(i.total, Duration::zero())), said);
  }
  out += "</tbody></table></div>\n";
  more_rows(out, rows.size());
  out += "</details>\n";
}

void instances(std::string& out, const Run& run) {
  if (run.instances.empty()) return;
  out += fmt::format(
      "<details><summary>Instances ({})</summary>\n<div class=\"table\"><table><thead><tr><th>instance</th>"
      "<th>function</th><th class=\"n\">served</th><th class=\"n\">memory</th><th>states</th><th>end</th>"
      "</tr></thead><tbody>\n",
      run.instances.size());
  for (std::size_t n = 0; n < std::min(run.instances.size(), kMostRows); ++n) {
    const Instance& i = run.instances[n];
    std::string stays;
    constexpr std::size_t kMostStays = 12;
    for (std::size_t s = 0; s < std::min(i.stays.size(), kMostStays); ++s)
      stays += fmt::format("{}{} at {} s", s == 0 ? "" : ", ", i.stays[s].state, seconds(i.stays[s].since));
    if (i.stays.size() > kMostStays) stays += fmt::format(" and {} more", i.stays.size() - kMostStays);
    std::string end = i.why;
    if (!i.death.empty()) end += (end.empty() ? "" : ": ") + i.death;
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td>{}</td><td>{}</td></tr>\n",
        html(i.name), i.function.empty() ? std::string() : code(i.function), i.served,
        i.memory == 0 ? std::string() : human_size(i.memory), html(stays), html(end));
  }
  out += "</tbody></table></div>\n";
  more_rows(out, run.instances.size());
  out += "</details>\n";
}

void findings(std::string& out, const Run& run, const Extras& extras) {
  if (extras.findings.empty()) return;
  out +=
      "<h2>What the sources say</h2>\n<div class=\"table\"><table><thead><tr><th>rule</th><th>where</th>"
      "<th>what</th></tr></thead><tbody>\n";
  for (const StaticFinding& f : extras.findings) {
    const std::size_t struck = times_struck(f, run);
    out += fmt::format("<tr><td>{}<br>{}{}</td><td>{}</td><td>{}</td></tr>\n", code(f.rule), html(f.level),
                       struck > 0
                           ? fmt::format("<br><span class=\"tag violation\">struck {}</span>", times(struck))
                           : std::string(),
                       code(fmt::format("{}{}:{}", extras.prefix, f.file, f.line)), html(f.message));
  }
  out += "</tbody></table></div>\n";
}

void notices(std::string& out, const Run& run, const Extras& extras) {
  if (run.notices.empty()) return;
  out += "<h2>Notes</h2>\n<ul>\n";
  for (const Notice& n : run.notices) {
    out += fmt::format("<li><strong>{}</strong> ", to_string(n.level));
    if (!n.file.empty())
      out += code(extras.prefix + n.file + (n.line > 0 ? fmt::format(":{}", n.line) : "")) + " ";
    out += html(n.message);
    if (!n.fix.empty()) out += fmt::format(" <em>{}</em>", html(n.fix));
    out += "</li>\n";
  }
  out += "</ul>\n";
}

}  // namespace

std::string render_html(const Run& run, const Extras& extras) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; img-src data:\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<link "
      "rel=\"icon\" "
      "href=\"data:,\">\n";
  out += fmt::format("<title>vercel-sim: {} on {}</title>\n<style>{}</style>\n</head>\n<body>\n",
                     number(run.violations(), "violation", "violations"), html(run.profile), kStyle);
  header(out, run, extras);
  out += "<main>\n";
  const auto all = groups(run);
  if (!all.empty()) out += "<h2>Verdicts</h2>\n";
  for (const Group& g : all) card(out, g, extras);
  if (const std::string figure = render_timeline(run); !figure.empty()) out += "<h2>Timeline</h2>\n" + figure;
  routes(out, run, extras);
  findings(out, run, extras);
  notices(out, run, extras);
  if (!run.calls.empty() || !run.instances.empty()) out += "<h2>Everything</h2>\n";
  calls(out, run);
  instances(out, run);
  out += fmt::format("</main>\n<footer>vercel-sim {}{}</footer>\n</body>\n</html>\n", html(run.version),
                     run.url.empty() ? std::string() : fmt::format(", {}", html(run.url)));
  return out;
}

}  // namespace vsim::report
