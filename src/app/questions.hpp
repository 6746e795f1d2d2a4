// Questions to the API, on their way to an answer: a look through 4 MB of events takes milliseconds, for
// which no request shall wait. So one at a time is answered on a thread of its own, over a picture of the
// events; who asks waits, and few may. Made by the emulator; I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/api.hpp"
#include "net/edge.hpp"

namespace vsim::app {

struct Question {
  std::string path, query;  // as ask_api takes them
  bool head_only = false;
};

class Questions final : public net::Feed {
 public:
  // What is asked about, as it is now.
  using Picture = std::function<void(const Question&, ApiWorld& out)>;
  // The head of a response with a body of this size, with its empty line.
  using Head = std::function<std::string(int status, std::size_t size)>;
  // More than these wait for an answer, or do not take the one they have got: the one that has not taken it
  // longest is cut.
  static constexpr std::size_t kMost = 16;

  Questions(boost::asio::io_context&, Picture, Head);
  ~Questions();

  // False: too many wait. Else the session is in RequestDecision::Kind::feed with this.
  bool ask(net::Session&, Question);

  // net::Feed
  void on_taken(net::Session&) override;
  void on_gone(net::Session&) override;

 private:
  struct Waiting {
    net::Session* session = nullptr;  // null: gone
    Question question;
  };
  void next();
  void prepare();
  void have(const ApiAnswer&);

  boost::asio::io_context& io_;
  Picture picture_;
  Head head_;
  bool busy_ = false;
  ApiWorld world_;
  std::deque<Waiting> waiting_;  // the first is being answered while busy_
  std::deque<net::Session*> not_taken_;
  boost::asio::thread_pool thread_{1};
};

}  // namespace vsim::app
