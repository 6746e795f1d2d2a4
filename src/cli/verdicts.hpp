// What `test` found, folded from the events: violations by code and route, the meant ones apart, what `check`
// says of them, and the summary a person reads. Pure: events in, text out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "check/checker.hpp"
#include "cli/expectations.hpp"
#include "event/event.hpp"

namespace vsim::cli {

struct Violation {
  limits::Code code = limits::Code::none;
  bool enforced = true;  // false: only observed
  std::string route, file, target;
  std::string limit_key, limit, measured, profile, as_of;
  std::string message, fix;  // of a notice; of this case
  std::size_t count = 0;
  const Expectation* meant = nullptr;
  const check::Finding* finding = nullptr;  // the rule of `check` that had said so
};

class Verdicts final : public event::Sink {
 public:
  explicit Verdicts(Expectations expectations) : expectations_(std::move(expectations)) {}

  void on_event(const event::Stamp&, const event::Event&) override;
  // Marks what `check` had said. `report` must outlive this.
  void merge(const check::Report& report);

  const std::vector<Violation>& violations() const {
    return violations_;
  }  // in the order of their first time
  // Enforced and not meant: what fails the test.
  std::size_t failing() const;
  const Expectations& expectations() const { return expectations_; }
  std::size_t requests() const { return requests_; }
  std::size_t invocations() const { return invocations_; }
  std::size_t crashes() const { return crashes_; }

 private:
  void add(const limits::Verdict&, std::string_view route, std::string_view file, std::string_view target);
  void add(Violation);

  Expectations expectations_;
  std::vector<Violation> violations_;
  std::size_t requests_ = 0, invocations_ = 0, crashes_ = 0;
};

// What the summary says besides.
struct Outline {
  std::string command;      // as typed
  std::string command_end;  // "exited with code 0 after 1.2s"; empty: it was not started
  std::string profile, as_of;
  std::string url;
  std::string config_file;  // of the expectations
  std::uint64_t seed = 0;
  bool stale_matters = true;  // false: the command failed, so what it did not reach says nothing
  int exit_code = 0;
  std::string exit_reason;  // "violations"
};
std::string render_summary(const Verdicts&, const check::Report&, const Outline&);

}  // namespace vsim::cli
