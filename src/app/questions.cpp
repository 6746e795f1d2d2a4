#include "app/questions.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "net/session.hpp"

namespace vsim::app {

Questions::Questions(boost::asio::io_context& io, Picture picture, Head head)
    : io_(io), picture_(std::move(picture)), head_(std::move(head)) {}

Questions::~Questions() { thread_.join(); }

bool Questions::ask(net::Session& session, Question question) {
  if (waiting_.size() >= kMost) return false;
  waiting_.push_back({&session, std::move(question)});
  if (!busy_) next();
  return true;
}

void Questions::next() {
  while (!waiting_.empty() && waiting_.front().session == nullptr) waiting_.pop_front();
  busy_ = !waiting_.empty();
  if (busy_) boost::asio::post(io_, [this] { prepare(); });
}

void Questions::prepare() {
  picture_(waiting_.front().question, world_);
  boost::asio::post(thread_, [this, world = std::exchange(world_, {}), question = waiting_.front().question] {
    ApiAnswer answer = ask_api(question.path, question.query, world);
    boost::asio::post(io_, [this, answer = std::move(answer)] { have(answer); });
  });
}

void Questions::have(const ApiAnswer& answer) {
  const Waiting asked = std::move(waiting_.front());
  waiting_.pop_front();
  if (asked.session != nullptr) {
    net::Session& session = *asked.session;
    if (not_taken_.size() == kMost) not_taken_.front()->shut();
    not_taken_.push_back(&session);
    session.say_more(head_(answer.status, answer.body.size()) +
                     (asked.question.head_only ? std::string() : answer.body));
    if (session.takes_more()) on_taken(session);
  }
  next();
}

void Questions::on_taken(net::Session& session) {
  const auto found = std::find(not_taken_.begin(), not_taken_.end(), &session);
  if (found == not_taken_.end()) return;  // it waits yet
  not_taken_.erase(found);
  session.end_feed();
}

void Questions::on_gone(net::Session& session) {
  std::erase(not_taken_, &session);
  for (Waiting& one : waiting_)
    if (one.session == &session) one.session = nullptr;
}

}  // namespace vsim::app
