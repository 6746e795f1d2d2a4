// The app behind the edge, as a supervised child. Starts it, waits until it really answers, passes its output
// on, restarts it after a crash, ends it. I/O thread only; its kind of app owns it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/app.hpp"
#include "app/clock.hpp"
#include "base/result.hpp"
#include "process/children.hpp"
#include "process/output_lines.hpp"

namespace vsim::app {

class AppProcess : private OnClock {
 public:
  struct Callbacks {
    // Whether it takes requests, asked again and again until it does; none: become_ready() says it.
    std::function<bool()> answers;
    std::function<void()> ready;
    std::function<void(std::string_view)> output;  // whole lines, to show
    // It ended though nobody asked. `ready_before`: it had answered. It is started again unless this returns
    // false.
    std::function<bool(const process::ExitCause&, bool ready_before)> died;
    std::function<void(std::string_view)> restarting;
    std::function<void()> gone;     // it ended because restart() was called
    std::function<void()> waiting;  // it takes long
  };
  AppProcess(boost::asio::io_context& io, process::Children& supervisor, ProcessSpec spec,
             Callbacks callbacks);

  Result<bool> start();
  void become_ready();  // it says so itself
  void resize(process::WindowSize);
  void kill();
  // The person asks for it: the child is ended and started again. No crash.
  void restart();
  void stop() { stopping_ = true; }  // no restarts from now on; the supervisor ends the child
  // Of the child that is started next.
  void set_env(std::string_view name, std::string_view value) { process::set_env(spec_.env, name, value); }
  bool ready() const { return ready_; }
  // The last lines it wrote, for diagnoses. Without colours.
  const std::deque<std::string>& last_lines() const { return last_lines_; }

 private:
  void on_output(std::string_view bytes);
  void on_line(std::string_view text, process::OutputLines::End end);
  void on_exit(const process::ExitCause& cause);
  void probe();

  boost::asio::io_context& io_;
  process::Children& supervisor_;
  ProcessSpec spec_;
  Callbacks callbacks_;
  std::unique_ptr<process::Child> child_;
  std::unique_ptr<process::OutputLines> lines_;
  std::deque<std::string> last_lines_;
  Timer timer_, quiet_timer_;
  TimePoint started_{};
  std::vector<TimePoint> crashes_;
  bool ready_ = false, stopping_ = false, told_waiting_ = false, restart_asked_ = false;
};

}  // namespace vsim::app
