// `run --otlp-endpoint`: the spans of a live run, made as `report --otlp` makes them and sent by
// app/span_export.hpp.
#pragma once

#include <memory>
#include <string>

#include "app/event_hub.hpp"
#include "app/span_export.hpp"
#include "cli/options.hpp"

namespace vsim::cli {

class SpanOutput {
 public:
  // False: nobody knows where that is, and that is told. `hub` must not outlive this.
  bool open(const OtlpOption& to, app::EventHub& hub);
  // Sends what is left. What became of them, as a line for the end; empty without open().
  std::string finish();

 private:
  std::string url_;
  std::unique_ptr<app::SpanExport> export_;
};

}  // namespace vsim::cli
