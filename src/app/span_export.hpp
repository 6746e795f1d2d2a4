// `--otlp-endpoint`: invocations as spans, to a collector, while the run goes on (OTLP/HTTP with JSON). The
// I/O thread writes the few events that a span is made of into a bounded buffer; a thread of its own makes
// spans of them once a second and sends them. A collector that is away or slow costs spans, which are
// counted, and never a request its time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "event/event.hpp"

namespace vsim::app {

struct SpanCollector {
  std::string url, host, path;         // what is said of it, the field Host, "/v1/traces"
  std::vector<std::string> addresses;  // as connect() takes them
};
// Waits for DNS. Without addresses `why` says why.
SpanCollector find_collector(const std::string& url, const std::string& host, std::uint16_t port,
                             std::string path, std::string& why);

class SpanExport final : public event::Sink {
 public:
  // Events as JSON lines, the run's start first, to an ExportTraceServiceRequest. Called on the thread.
  using Render = std::function<std::string(std::string_view lines)>;
  // What a person should know; called on the thread, and not after the destructor has returned.
  using Tell = std::function<void(const std::string&)>;

  // `start`: what at_ms counts from.
  SpanExport(SpanCollector to, TimePoint start, Render render, Tell tell);
  ~SpanExport() override;
  SpanExport(const SpanExport&) = delete;
  SpanExport& operator=(const SpanExport&) = delete;
  void on_event(const event::Stamp&, const event::Event&) override;
  void on_pause() override;

  // Of invocations.
  struct Count {
    std::uint64_t sent = 0, dropped = 0;
  };
  // Sends what is left, for two seconds at most.
  Count finish();

 private:
  static constexpr std::size_t kMost = 4u << 20;
  void work();
  bool send_batch();
  void make_batch(const std::string& lines);
  void failed(const std::string& why, bool for_good);

  const SpanCollector to_;
  const TimePoint start_;
  const Render render_;
  const Tell tell_;
  std::string gathered_;  // of this turn of the I/O thread
  std::uint64_t ended_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string lines_;
  std::uint64_t waiting_ = 0, dropped_ = 0;  // invocations: in lines_, thrown away
  bool stop_ = false;
  std::atomic<TimePoint> until_{TimePoint::max()};  // nothing is waited for longer

  // Of the thread alone.
  std::string first_, body_;                 // the run's start; what is being sent
  std::map<std::string, std::string> runs_;  // of what has not ended: since when it runs, by its number
  std::uint64_t in_body_ = 0, sent_ = 0, refused_ = 0;
  bool is_down_ = false;
  std::thread thread_;
};

}  // namespace vsim::app
