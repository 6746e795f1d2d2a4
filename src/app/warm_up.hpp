// `test --warm`: has the agent compile every route before the command runs, so that no first request waits
// for a compile. Asks for two at a time, tells what does not compile, and comes to its end whatever happens.
// Sends no request: nothing of the user's runs. I/O thread only; the emulator owns it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/control.hpp"
#include "app/clock.hpp"
#include "base/time.hpp"
#include "event/event.hpp"
#include "routes/route_table.hpp"

namespace vsim::app {

// What is compiled, in the table's order, middleware first: Next needs it for every request.
struct WarmRoute {
  std::string page, kind;   // Next's own names: "/api/users/[id]/route", "APP_ROUTE"
  std::string route, file;  // for people
  bool may_miss = false;    // Next makes its name in more ways than we know: no word when it is not there
};
std::vector<WarmRoute> warm_routes(const routes::RouteTable&);

class WarmUp : private OnClock {
 public:
  struct Callbacks {
    std::function<bool(std::string line)> send;  // to the agent; false: it is gone
    // People's line without an end; `file` may be empty.
    std::function<void(event::Level, const std::string& message, const std::string& fix,
                       const std::string& file)>
        tell;
    std::function<void()> done;  // once, not from within start(); not when it was destroyed before
  };
  // `most`: it goes on without the rest then.
  WarmUp(boost::asio::io_context& io, std::vector<WarmRoute> routes, Duration most, Callbacks callbacks);

  void start();
  void take(const agent::Precompiled&);  // what was not asked for is passed over

 private:
  void next();
  void told(const WarmRoute&, const agent::Precompiled&);
  void finish();

  boost::asio::io_context& io_;
  std::deque<WarmRoute> waiting_;
  std::vector<WarmRoute> asked_;
  Duration most_;
  Callbacks callbacks_;
  Timer timer_;
  TimePoint began_{};
  std::size_t compiled_ = 0;
  bool over_ = false;
  // What is posted asks by it whether there still is anybody to tell.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vsim::app
