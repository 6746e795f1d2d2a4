#include "report/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

#include "base/text.hpp"
#include "report/words.hpp"

namespace vsim::report {
namespace {

// Chosen so that a file stays below a few megabytes and a browser draws it at once.
constexpr std::size_t kMostInstances = 1200, kMostCalls = 3000, kMostLanes = 60;
constexpr double kLane = 18, kTop = 22, kLeast = 940, kMost = 12'000, kPerSecond = 10;

double of_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

class Axis {
 public:
  explicit Axis(Duration length) : seconds_(std::max(of_seconds(length), 0.001)) {
    width_ = std::clamp(seconds_ * kPerSecond, kLeast, kMost);
  }
  double width() const { return width_; }
  double x(Duration at) const { return std::clamp(of_seconds(at) / seconds_, 0.0, 1.0) * width_; }
  // 1, 2 or 5 of a power of ten, about 90 pixels apart.
  double step() const {
    const double wanted = seconds_ * 90 / width_;
    const double power = std::pow(10, std::floor(std::log10(wanted)));
    for (const double k : {1.0, 2.0, 5.0})
      if (k * power >= wanted) return k * power;
    return 10 * power;
  }
  double seconds() const { return seconds_; }

 private:
  double seconds_, width_ = kLeast;
};

// Gives each span the first lane that is free.
class Lanes {
 public:
  explicit Lanes(std::size_t most) : most_(most) {}
  // npos: all are taken.
  std::size_t place(Duration from, Duration to) {
    for (std::size_t i = 0; i < free_from_.size(); ++i)
      if (free_from_[i] <= from) {
        free_from_[i] = to;
        return i;
      }
    if (free_from_.size() == most_) return std::string::npos;
    free_from_.push_back(to);
    return free_from_.size() - 1;
  }
  std::size_t size() const { return free_from_.size(); }

 private:
  std::size_t most_;
  std::vector<Duration> free_from_;
};

bool violates(const Run& run, const Invocation& i) {
  return std::any_of(i.problems.begin(), i.problems.end(),
                     [&](std::size_t p) { return is_violation(run.problems[p]); });
}

std::string rect(std::string_view kind, double x, double y, double width, double height) {
  return fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"", kind,
                     x, y, std::max(width, 1.5), height);
}

std::string title_of(const Run& run, const Invocation& i) {
  std::string out = fmt::format("{} {} → {}, {}", i.method, i.target.substr(0, 120),
                                i.status == 0 ? std::string("no response") : std::to_string(i.status),
                                human_duration(std::max(i.total, Duration::zero())));
  if (i.charged > Duration::zero()) out += fmt::format(", {} charged", human_duration(i.charged));
  if (!i.instance.empty()) out += fmt::format(", on {}", i.instance);
  if (!i.start.empty()) out += fmt::format(" ({})", i.start);
  for (const std::size_t p : i.problems) out += fmt::format("\n{}", code_name(run.problems[p]));
  return out;
}

// A call at height y: what passed, and in it, at its end, what was charged.
std::string bar(const Run& run, const Axis& axis, const Invocation& i, double y) {
  const bool bad = violates(run, i);
  const Duration end = i.began + i.total;
  const double from = axis.x(i.began), to = axis.x(end);
  std::string out = rect(bad ? "bad" : "call", from, y + 3, to - from, kLane - 6);
  out += fmt::format("><title>{}</title></rect>", html(title_of(run, i)));
  const Duration charged = std::min(i.charged, i.total);
  if (charged > Duration::zero()) {
    const double start = axis.x(end - charged);
    out += rect(bad ? "bad charged" : "call charged", start, y + 5, to - start, kLane - 10) + "/>";
  }
  // Not by colour alone.
  if (bad)
    out += fmt::format("<text class=\"mark\" x=\"{:.1f}\" y=\"{:.1f}\">✗</text>", from + 1, y + kLane - 5);
  return out + "\n";
}

}  // namespace

std::string render_timeline(const Run& run) {
  if (run.calls.empty() && run.instances.empty()) return {};
  const Axis axis(run.length);
  std::string shapes;
  std::size_t left_out_instances = 0, left_out_calls = 0;

  std::unordered_map<std::string_view, std::size_t> lane_of;
  Lanes lanes(kMostLanes);
  for (std::size_t n = 0; n < run.instances.size(); ++n) {
    const Instance& i = run.instances[n];
    if (i.stays.empty()) continue;
    const bool dead = i.stays.back().state == "dead";
    const Duration from = i.stays.front().since, to = dead ? i.stays.back().since : run.length;
    const std::size_t lane = n < kMostInstances ? lanes.place(from, to) : std::string::npos;
    if (lane == std::string::npos) {
      ++left_out_instances;
      continue;
    }
    lane_of[i.name] = lane;
    const double y = kTop + kLane * static_cast<double>(lane);
    for (std::size_t s = 0; s < i.stays.size(); ++s) {
      if (i.stays[s].state == "dead") continue;
      const double x = axis.x(i.stays[s].since);
      const double end = axis.x(s + 1 < i.stays.size() ? i.stays[s + 1].since : run.length);
      if (end - x < 0.3 && s + 1 < i.stays.size()) continue;
      shapes += rect("s-" + html(i.stays[s].state), x, y + 1, end - x, kLane - 2);
      shapes += fmt::format("><title>{}</title></rect>",
                            html(fmt::format("{} {}{}", i.name, i.stays[s].state,
                                             i.function.empty() ? "" : ", " + i.function)));
    }
    if (axis.x(to) - axis.x(from) > 60)
      shapes += fmt::format("<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", axis.x(from) + 3,
                            y + kLane - 5, html(i.name));
    shapes += "\n";
  }
  const std::size_t instance_lanes = lanes.size();

  // With a violation first, so that they are what is kept; then by time, as lanes are given.
  std::vector<const Invocation*> calls;
  for (const Invocation& i : run.calls) calls.push_back(&i);
  if (calls.size() > kMostCalls) {
    std::stable_partition(calls.begin(), calls.end(), [&](const Invocation* i) { return violates(run, *i); });
    left_out_calls = calls.size() - kMostCalls;
    calls.resize(kMostCalls);
  }
  std::stable_sort(calls.begin(), calls.end(),
                   [](const Invocation* a, const Invocation* b) { return a->began < b->began; });
  Lanes loose(kMostLanes);
  for (const Invocation* i : calls) {
    const auto own = lane_of.find(i->instance);
    std::size_t lane = own == lane_of.end() ? std::string::npos : own->second;
    if (lane == std::string::npos) {
      lane = loose.place(i->began, i->began + i->total);
      if (lane == std::string::npos) {
        ++left_out_calls;
        continue;
      }
      lane += instance_lanes;
    }
    shapes += bar(run, axis, *i, kTop + kLane * static_cast<double>(lane));
  }

  const double height = kTop + kLane * static_cast<double>(instance_lanes + loose.size()) + 4;
  std::string grid;
  const double step = axis.step();
  for (int n = 0; static_cast<double>(n) * step <= axis.seconds(); ++n) {
    const double at = static_cast<double>(n) * step, x = at / axis.seconds() * axis.width();
    grid += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"16\" y2=\"{1:.0f}\"/>", x,
                        height);
    grid += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"12\">{:.6g} s</text>\n", x + 2, at);
  }
  if (instance_lanes > 0 && loose.size() > 0)
    grid += fmt::format("<line class=\"cut\" x1=\"0\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                        axis.width(), kTop + kLane * static_cast<double>(instance_lanes),
                        kTop + kLane * static_cast<double>(instance_lanes));

  std::string out =
      "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline\">\n";
  out += fmt::format(
      "<svg width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" "
      "aria-labelledby=\"tl-title tl-text\">\n<title id=\"tl-title\">Instances and invocations over "
      "time</title>\n<desc id=\"tl-text\">{2}, {3}, in {4}. The tables below say the same in "
      "words.</desc>\n",
      axis.width(), height, number(run.instances.size(), "instance", "instances"),
      number(run.calls.size(), "request", "requests"), human_duration(run.length));
  out += grid + shapes + "</svg>\n</div>\n<figcaption>";
  out +=
      "<span class=\"key call\"></span> request, the darker part charged "
      "<span class=\"key bad\"></span> with a violation (✗)";
  if (instance_lanes > 0)
    out +=
        " <span class=\"key boot\"></span> instance starting or loading a function "
        "<span class=\"key life\"></span> alive <span class=\"key still\"></span> frozen";
  if (instance_lanes > 0 && loose.size() > 0) out += ". Below the line: requests that no instance served";
  if (left_out_instances > 0 || left_out_calls > 0)
    out += fmt::format(". Not drawn: {}, {}", number(left_out_instances, "instance", "instances"),
                       number(left_out_calls, "request", "requests"));
  return out + ".</figcaption>\n</figure>\n";
}

}  // namespace vsim::report
