// Sends the requests of a recording, on a thread and connections of its own, as their client did: in order of
// arrival and in the same shape (replay/schedule.hpp), leaving where it left. Reads no more of an answer than
// its status and cookies. What the answers mean is not its matter: the edge records how each request ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "replay/recording.hpp"
#include "replay/resend.hpp"
#include "replay/schedule.hpp"

namespace vsim::app {

struct ReplaySpeed {
  double stay = 1;         // a client that left stays so many times as long as it did
  Duration give_up_after;  // for an answer, besides twice the time that it took
  // For ends that do not come although the client is done, besides the same: the app died, or was not there.
  Duration wait_for_ends = std::chrono::seconds(5);
};

class ReplayClient {
 public:
  struct Sent {
    bool sent = false;
    std::string why_not;               // not sent
    std::vector<std::string> renewed;  // as replay::Met
    // Once it is over.
    int status = 0;        // of the answer; 0: none came
    bool left = false;     // before its end, as its client did in the recording
    bool gave_up = false;  // it had no end in time
    Duration took{};
  };
  // `recording` must outlive it. Request `i` carries `mark` and `i`. `done` is called once, on the client's
  // thread.
  ReplayClient(const replay::Recording& recording, replay::Destination to, ReplaySpeed speed,
               std::string mark, std::function<void()> done);
  ~ReplayClient();
  void start();
  void interrupt();  // from any thread: drops what is under way; `done` follows
  void stop();       // the same, and waits until its thread is gone
  // After done() or stop(), by request.
  const std::vector<Sent>& sent() const { return sent_; }

 private:
  struct Exchange;
  void pump();
  bool send(std::size_t step);
  void over(std::size_t step);
  void finish();

  const replay::Recording& recording_;
  const replay::Destination to_;
  const ReplaySpeed speed_;
  const std::string mark_;
  std::function<void()> done_;
  std::vector<Sent> sent_;
  std::vector<std::size_t> steps_;  // the requests that can be sent
  replay::Cookies cookies_;
  std::unique_ptr<replay::Schedule> schedule_;
  boost::asio::io_context io_{1};
  boost::asio::ssl::context tls_;
  boost::asio::steady_timer timer_{io_};
  std::map<std::size_t, std::shared_ptr<Exchange>> exchanges_;  // by step
  bool https_ = false, stopped_ = false;
  std::string port_;
  std::thread thread_;
};

}  // namespace vsim::app
