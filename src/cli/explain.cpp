#include "cli/explain.hpp"

#include <fmt/format.h>

#include "base/json_out.hpp"
#include "cli/columns.hpp"
#include "cli/run.hpp"
#include "explain/render.hpp"
#include "explain/search.hpp"

namespace vsim::cli {
namespace {

void print_lines(std::string_view title, const std::vector<const explain::Topic*>& topics) {
  fmt::print("{}\n", title);
  for (const explain::Topic* t : topics) print_fitted(stdout, explain::render_line(*t));
}

std::string json_of(const explain::Topic& t) {
  static constexpr std::string_view kKinds[] = {"platform", "emulator", "cause", "rule"};
  std::string out;
  {
    JsonOut o(out, '{');
    o.text("id", t.id).text("kind", kKinds[static_cast<std::size_t>(t.kind)]).text("category", t.category);
    o.flag("emulated", t.emulated);
    if (t.status != 0) o.number("status", t.status);
    o.text("title", t.title).text("why", t.why).text("client", t.client).text("fix", t.fix);
    o.text("example", t.example).text("language", t.language).text("bad", t.bad).text("found", t.found);
    o.text("silence", t.silence).text("as_of", t.as_of);
    o.list("messages", t.messages, json_string).list("sources", t.sources, json_string);
    o.list("see", t.see, json_string);
  }
  return out;
}

// All topics, or those that it may be, the likeliest first.
int print_json(const std::string& what) {
  std::vector<const explain::Topic*> found;
  if (what.empty()) {
    for (const explain::Topic& t : explain::topics()) found.push_back(&t);
  } else {
    const explain::SearchAnswer answer = explain::search(what);
    found = answer.best;
    found.insert(found.end(), answer.also.begin(), answer.also.end());
  }
  std::string out = "[";
  for (const explain::Topic* t : found) out += (out.size() > 1 ? ",\n" : "") + json_of(*t);
  fmt::print("{}]\n", out);
  return found.empty() ? kUsage : 0;
}

}  // namespace

int explain(const std::string& what, bool json) {
  if (json) return print_json(what);
  if (what.empty()) {
    print_fitted(stdout, explain::render_list());
    return 0;
  }
  const explain::SearchAnswer answer = explain::search(what);
  if (answer.best.empty()) {
    print_error({fmt::format("no code, rule or known message is \"{}\"", what),
                 answer.meant.empty() ? "vercel-sim explain lists all codes and rules"
                                      : fmt::format("did you mean {}?", answer.meant)});
    return kUsage;
  }
  if (answer.best.size() > 1) {
    print_lines(fmt::format("\"{}\" may be one of these; vercel-sim explain CODE says more", what),
                answer.best);
    return 0;
  }
  const explain::Topic& topic = *answer.best.front();
  const std::size_t columns = columns_of(STDOUT_FILENO);
  fmt::print("{}", columns == 0 ? explain::render_text(topic) : explain::render_text(topic, columns));
  if (!answer.also.empty()) {
    fmt::print("\n");
    print_lines("May also be", answer.also);
  }
  return 0;
}

}  // namespace vsim::cli
