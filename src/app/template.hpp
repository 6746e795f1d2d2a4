// The template of a run's instances: a process that has everything loaded but what is an instance's own, and
// is copied for each (process/fork_server.hpp). Starts it, starts it again when it dies, and gives it up when
// it cannot be had: then instances are started one by one, as ever. I/O thread only; the fleet owns it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "app/clock.hpp"
#include "app/output_line.hpp"
#include "process/fork_server.hpp"
#include "process/output_lines.hpp"

namespace vsim::app {

class TemplateProcess {
 public:
  enum class State : std::uint8_t {
    none,      // nobody has asked for one, or it is of no use any more
    starting,  // worth waiting for: it takes no longer than an instance would
    ready,
    given_up,
  };
  struct Callbacks {
    std::function<void(const OutputLine&)> output;
    std::function<void()> settled;                  // it is ready, or given up
    std::function<void(std::string_view)> gave_up;  // why; before settled
  };
  TemplateProcess(boost::asio::io_context&, process::Children&, Callbacks);
  ~TemplateProcess();

  // Another one, if there is one. `options` are kept for the next.
  void start(process::SpawnOptions);
  // One that stands still before it has what go_on() tells it; then as by start(). False: there is no such.
  void start_ahead(process::SpawnOptions);
  bool go_on(std::string_view boot_file, process::SpawnOptions for_the_next);
  void stop();
  State state() const { return state_; }
  void foreground();  // somebody waits for it
  // Of its memory what its program takes and each copy shares (process/usage.hpp), bytes; once it was ready.
  std::uint64_t program() const { return program_; }
  // While it is ready. `answer` is called later, and always, unless this is destroyed.
  void fork(const std::function<std::string(std::string_view mark)>& text, process::ForkServer::Answer answer,
            int orders);

 private:
  void launch();
  void wait_no_longer();
  void ended(const process::ExitCause&);
  void give_up(const std::string& why);
  void on_line(std::string_view text, bool error);

  boost::asio::io_context& io_;
  process::Children& supervisor_;
  Callbacks callbacks_;
  process::SpawnOptions options_;
  std::shared_ptr<process::ForkServer> server_;
  process::OutputLines out_, err_;
  Timer patience_;
  std::string reason_;  // that it has told itself
  State state_ = State::none;
  std::uint64_t program_ = 0;
  int in_vain_ = 0;  // started since a copy was last made
  enum class Ahead : std::uint8_t { no, waits, goes_on } ahead_ = Ahead::no;
  bool lowered_ = false, launched_before_ = false;
};

}  // namespace vsim::app
