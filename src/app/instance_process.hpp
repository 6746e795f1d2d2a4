// One function instance as a process: starts it, passes its output on, knows its socket, tells how it died.
// Decides nothing; the fleet owns it. I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/clock.hpp"
#include "app/output_line.hpp"
#include "base/result.hpp"
#include "instance/lifecycle.hpp"
#include "net/upstream.hpp"
#include "process/children.hpp"
#include "process/output_lines.hpp"

namespace vsim::app {

struct InstanceSpec {
  std::string name;  // "i3"
  std::vector<std::string> argv;
  process::Environment env;  // whole
  std::string cwd;
  std::string secret;  // it can read this and a newline from its standard input, which says nothing else
  std::string socket;  // where it listens, removed at its end
  bool background = false;
  std::optional<process::OwnTmp> own_tmp;
  unsigned descriptors = 0;  // the most that it may have open; 0: as the system lets us
};

class InstanceProcess {
 public:
  struct Callbacks {
    // Whole lines, each begun with its name.
    std::function<void(const OutputLine&)> output;
    std::function<void()> debugger;  // one was attached
    std::function<void()> ended;     // may destroy it later, not in the call
  };
  static Result<std::unique_ptr<InstanceProcess>> start(boost::asio::io_context&, process::Children&,
                                                        net::Timeouts&, InstanceSpec, Callbacks);
  // The same of a process that is there already, a copy of the template.
  static Result<std::unique_ptr<InstanceProcess>> adopt(boost::asio::io_context&, process::Children&,
                                                        net::Timeouts&, InstanceSpec, process::Coming,
                                                        Callbacks);
  ~InstanceProcess();
  InstanceProcess(const InstanceProcess&) = delete;
  InstanceProcess& operator=(const InstanceProcess&) = delete;

  const std::string& name() const { return spec_.name; }
  const std::string& secret() const { return spec_.secret; }
  pid_t pid() const { return child_->pid(); }
  bool running() const { return !ended_; }
  net::UpstreamPool& pool() { return *pool_; }
  void kill() {
    killed_ = true;
    if (!ended_) child_->lower_for_good();
    child_->kill();
  }
  void freeze() { child_->freeze(); }
  // For a request: at its own priority before it runs again, since it is that by which it gets a processor.
  void thaw() {
    foreground();
    child_->thaw();
  }
  void foreground();  // requests wait for it from now on

  // What it said of its own end, the first of it: "uncaught exception: Error: boom".
  void last_words(std::string words);
  // After `ended`.
  instance::Death death() const;
  std::string cause_if(const process::ExitCause&) const;  // the same, of an end that is still to come
  std::string cause() const;                              // "i3 exited with code 1 (…)"

 private:
  InstanceProcess(boost::asio::io_context&, InstanceSpec, Callbacks);
  process::ChildCallbacks events();
  void begin(net::Timeouts&, std::unique_ptr<process::Child>);
  void on_output(process::OutputStream, std::string_view);
  void on_line(process::OutputStream, std::string_view text);

  boost::asio::io_context& io_;
  InstanceSpec spec_;
  Callbacks callbacks_;
  std::unique_ptr<process::Child> child_;
  std::shared_ptr<net::UpstreamPool> pool_;
  process::OutputLines out_, err_;
  Timer quiet_;
  process::ExitCause exit_;
  std::string last_words_;
  bool ended_ = false, killed_ = false, out_of_memory_ = false, lowered_ = false;
};

}  // namespace vsim::app
