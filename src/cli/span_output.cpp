#include "cli/span_output.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "app/clock.hpp"
#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "cli/run.hpp"
#include "report/collector.hpp"
#include "report/render.hpp"

namespace vsim::cli {

bool SpanOutput::open(const OtlpOption& to, app::EventHub& hub) {
  std::string why;
  auto collector = app::find_collector(to.at.url, to.at.host, to.at.port, to.path, why);
  if (collector.addresses.empty()) {
    print_error({fmt::format("--otlp-endpoint {}: {}", to.at.url, why),
                 "name a collector that can be reached from here, such as http://localhost:4318"});
    return false;
  }
  url_ = plain(to.at.url);
  export_ = std::make_unique<app::SpanExport>(
      std::move(collector), app::now(),
      [](std::string_view lines) {
        const auto recorded = report::read_events(lines, "events");
        return recorded ? report::render_otlp(recorded->run) : std::string();
      },
      [](const std::string& what) { fmt::print(stderr, "note: {}\n", plain(what)); });
  hub.add(*export_);
  return true;
}

std::string SpanOutput::finish() {
  if (!export_) return {};
  const auto count = export_->finish();
  return fmt::format(
      "  spans of {} were sent to {}{}\n", counted(count.sent, "invocation"), url_,
      count.dropped == 0 ? "" : fmt::format("; those of {} are lost", counted(count.dropped, "invocation")));
}

}  // namespace vsim::cli
