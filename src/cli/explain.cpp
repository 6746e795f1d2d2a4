#include "cli/explain.hpp"

#include <fmt/format.h>

#include "cli/columns.hpp"
#include "cli/run.hpp"
#include "explain/render.hpp"
#include "explain/search.hpp"

namespace vsim::cli {
namespace {

constexpr int kUsage = 64;

void print_lines(std::string_view title, const std::vector<const explain::Topic*>& topics) {
  fmt::print("{}\n", title);
  for (const explain::Topic* t : topics) print_fitted(stdout, explain::render_line(*t));
}

}  // namespace

int explain(const std::string& what) {
  if (what.empty()) {
    print_fitted(stdout, explain::render_list());
    return 0;
  }
  const explain::Answer answer = explain::search(what);
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
