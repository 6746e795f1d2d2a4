#include "profile/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/text.hpp"
#include "profile/layer.hpp"
#include "profile/schema.hpp"

namespace vsim::profile {
namespace {

constexpr std::size_t kMaxChain = 16;

// "a/./b/../c.yaml" → "a/c.yaml". Lexical: links are not looked at, kMaxChain stops a loop through them.
std::string tidy_path(std::string_view path) {
  std::vector<std::string_view> parts;
  const bool absolute = path.starts_with('/');
  for (const std::string_view part : split(path, "/")) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..")
      parts.pop_back();
    else if (part != ".." || !absolute)
      parts.push_back(part);
  }
  return fmt::format("{}{}", absolute ? "/" : "", fmt::join(parts, "/"));
}

std::string resolve(std::string_view name_or_path, std::string_view from_file) {
  if (!is_path(name_or_path)) return std::string(name_or_path);
  const std::size_t slash = from_file.rfind('/');
  if (name_or_path.starts_with('/') || slash == std::string_view::npos) return tidy_path(name_or_path);
  return tidy_path(fmt::format("{}/{}", from_file.substr(0, slash), name_or_path));
}

std::string not_found(std::string_view wanted, std::string_view resolved) {
  const std::string builtins = fmt::format("{}", fmt::join(kBuiltinProfiles, ", "));
  std::string_view stem = wanted.substr(wanted.rfind('/') + 1);
  stem = stem.substr(0, std::min(stem.find('.'), stem.size()));
  const auto near = nearest_name(stem, kBuiltinProfiles);
  std::string out;
  if (is_path(wanted)) {
    out = fmt::format("cannot read the file \"{}\"", resolved);
    if (near) out += fmt::format(" (did you mean the built-in profile \"{}\"?)", *near);
    return out + fmt::format("; the built-in profiles are {}", builtins);
  }
  out = fmt::format("no profile is called \"{}\"", wanted);
  if (near) out += fmt::format(" (did you mean \"{}\"?)", *near);
  return out + fmt::format("; there are {}, and files given by their path, such as \"./my-profile.yaml\"",
                           builtins);
}

Diagnostic on_command_line(std::string_view option, std::string_view text, std::size_t column,
                           std::size_t length, std::string message) {
  Diagnostic d;
  d.file = option;
  d.line = 0;
  d.col = characters(text, column) + 1;
  d.message = std::move(message);
  d.line_text = text;
  d.caret_length = std::max(1, characters(text.substr(std::min(column, text.size())), length));
  return d;
}

// Where each value of the finished profile was set: enough to order layers and to point at the place.
struct Origin {
  int layer = -1;  // 0: the file furthest down the chain
  const Layer* file = nullptr;
  TextSpan place;
  std::size_t override_index = 0;  // of set_overrides, when file is null
};

class Loader {
 public:
  Loader(std::string_view name, std::span<const std::string> overrides, const ReadFile& read)
      : name_(name), overrides_(overrides), read_(read) {}

  LoadResult run() {
    read_chain();
    std::reverse(chain_.begin(), chain_.end());  // base first
    int depth = 0;
    for (const Layer& layer : chain_) {
      for (const Assignment& a : layer.assignments) apply(a, depth, &layer, 0);
      ++depth;
    }
    apply_overrides(depth);
    follow_duration_max();
    check_missing();
    check_pairs();
    put_in_order();
    LoadResult result;
    if (out_.empty()) {
      name_profile();
      result.profile = std::move(profile_);
    }
    result.diagnostics = std::move(out_);
    return result;
  }

 private:
  void read_chain() {
    std::string wanted = name_, from;
    std::vector<std::string> seen;
    while (true) {
      const std::string resolved = resolve(wanted, from);
      const Layer* extender = chain_.empty() ? nullptr : &chain_.back();
      const auto fail = [&](std::string message) {
        broken_chain_ = true;
        if (extender == nullptr) {
          out_.push_back(on_command_line("--profile", wanted, 0, wanted.size(), std::move(message)));
        } else {
          const TextSpan& p = extender->extends_place;
          out_.push_back(extender->source->at(p.line, p.column, p.length, "extends: " + std::move(message)));
        }
      };
      if (std::find(seen.begin(), seen.end(), resolved) != seen.end()) {
        std::string circle;
        for (const std::string& s : seen) circle += s + " -> ";
        return fail(fmt::format("these profiles extend each other in a circle: {}{}", circle, resolved));
      }
      if (seen.size() >= kMaxChain)
        return fail(fmt::format("more than {} profiles extend each other", kMaxChain));
      const auto text = read_(resolved);
      if (!text) return fail(not_found(wanted, resolved));
      seen.push_back(resolved);
      const std::string file = is_builtin(resolved) ? fmt::format("profiles/{}.yaml", resolved) : resolved;
      chain_.push_back(read_layer(file, *text, resolved, out_));
      const Layer& layer = chain_.back();
      if (!layer.readable || layer.extends_unclear) broken_chain_ = true;
      if (!layer.extends) return;
      wanted = *layer.extends;
      from = is_builtin(resolved) ? "" : resolved;
    }
  }

  void apply(const Assignment& a, int depth, const Layer* file, std::size_t override_index) {
    assign(profile_, *a.key, a.text, a.from);  // was checked when it was read
    origins_[a.key] = Origin{depth, file, a.place, override_index};
  }

  void apply_overrides(int depth) {
    for (std::size_t i = 0; i < overrides_.size(); ++i) {
      const std::string& text = overrides_[i];
      const std::size_t equals = text.find('=');
      const std::string_view name = std::string_view(text).substr(0, std::min(equals, text.size()));
      const auto fail = [&](std::size_t column, std::size_t length, std::string message) {
        if (out_.size() < kMaxDiagnostics)
          out_.push_back(on_command_line("--set", text, column, length, std::move(message)));
      };
      if (equals == std::string::npos || equals == 0) {
        fail(0, text.size(), "expected key=value such as \"duration.default=15s\"");
        continue;
      }
      const Key* key = find_key(name);
      if (key == nullptr) {
        std::string message = unknown_key(name);
        if (name == "extends" || name == "name" || name == "title")
          message = fmt::format(
              "{} cannot be set on the command line: only values can, such as \"duration.default=15s\"",
              name);
        else if (is_group(name))
          message = fmt::format("\"{}\" is a group of keys: set one of them, such as \"{}\"", name,
                                first_of_group(name));
        fail(0, name.size(), std::move(message));
        continue;
      }
      Assignment a;
      a.key = key;
      a.text = text.substr(equals + 1);
      Profile probe;
      if (const auto wrong = assign(probe, *key, a.text, {})) {
        fail(equals + 1, a.text.size(), fmt::format("{}: {}", name, *wrong));
        continue;
      }
      a.from.profile = std::string(kSetByUser);
      a.from.file = "--set";
      a.from.confidence = "CHOICE";
      if (origins_.count(key) != 0 && origins_[key].file != nullptr) {
        const Provenance& before = provenance_of(profile_, *key);
        const bool is_builtin_value = before.file != before.profile;  // of a file that only we have
        a.from.note =
            fmt::format("instead of {} of {}", value_text(profile_, *key),
                        is_builtin_value ? before.profile : fmt::format("{}:{}", before.file, before.line));
      } else {
        a.from.note =
            provenance_of(profile_, *key).note;  // overridden twice: the note tells of the file's value
      }
      a.place = {0, static_cast<int>(equals + 1), static_cast<int>(a.text.size())};
      apply(a, depth, nullptr, i);
    }
  }

  static std::string first_of_group(std::string_view group) {
    for (const Key& k : keys())
      if (k.name.starts_with(group) && k.name.size() > group.size() && k.name[group.size()] == '.')
        return fmt::format("{}={}", k.name, k.example);
    return {};
  }

  // Whoever sets duration.max and says nothing of an extended one has none.
  void follow_duration_max() {
    const Key *max = find_key("duration.max"), *extended = find_key("duration.extended_max");
    const auto it = origins_.find(max), ext = origins_.find(extended);
    if (it == origins_.end() || (ext != origins_.end() && ext->second.layer >= it->second.layer)) return;
    profile_.duration_extended_max = profile_.duration_max;
    const Origin origin = it->second;
    origins_[extended] = origin;
  }

  // A file that extends nothing says everything itself: no value comes from nowhere.
  void check_missing() {
    if (broken_chain_ || chain_.empty()) return;
    std::string missing;
    int count = 0;
    for (const Key& k : keys()) {
      const bool mentioned = std::any_of(chain_.begin(), chain_.end(), [&](const Layer& l) {
        return std::find(l.mentioned.begin(), l.mentioned.end(), &k) != l.mentioned.end();
      });
      if (mentioned || origins_.count(&k) != 0 || k.name == "duration.extended_max") continue;
      ++count;
      if (count <= 4) missing += (missing.empty() ? "" : ", ") + std::string(k.name);
    }
    if (count == 0 || out_.size() >= kMaxDiagnostics) return;
    if (count > 4) missing += fmt::format(" and {} more", count - 4);
    out_.push_back(chain_.front().source->at(
        0, 0, 1,
        fmt::format(
            "{} {} missing: add a line \"extends: hobby\" (or another profile) to take from there what "
            "this file does not say",
            missing, count == 1 ? "is" : "are")));
  }

  template <class T>
  void check_pair(std::string_view low, std::string_view high, const Setting<T>& low_setting,
                  const Setting<T>& high_setting) {
    if (low_setting.value <= high_setting.value) return;
    const Key *low_key = find_key(low), *high_key = find_key(high);
    if (origins_.count(low_key) == 0 || origins_.count(high_key) == 0) return;
    const Origin &a = origins_[low_key], &b = origins_[high_key];
    const bool blame_low = a.layer >= b.layer;
    const Provenance& other = blame_low ? high_setting.from : low_setting.from;
    const std::string place = other.line > 0 ? fmt::format("{}:{}", other.file, other.line) : other.file;
    std::string message =
        blame_low ? fmt::format("{}: {} is more than {}, which is {} ({})", low,
                                value_text(profile_, *low_key), high, value_text(profile_, *high_key), place)
                  : fmt::format("{}: {} is less than {}, which is {} ({})", high,
                                value_text(profile_, *high_key), low, value_text(profile_, *low_key), place);
    message += fmt::format(": set {} too", blame_low ? high : low);
    const Origin& at = blame_low ? a : b;
    if (out_.size() >= kMaxDiagnostics) return;
    if (at.file != nullptr)
      out_.push_back(
          at.file->source->at(at.place.line, at.place.column, at.place.length, std::move(message)));
    else
      out_.push_back(on_command_line("--set", overrides_[at.override_index],
                                     static_cast<std::size_t>(at.place.column),
                                     static_cast<std::size_t>(at.place.length), std::move(message)));
  }

  void check_pairs() {
    const Profile& p = profile_;
    check_pair("duration.default", "duration.max", p.duration_default, p.duration_max);
    check_pair("duration.max", "duration.extended_max", p.duration_max, p.duration_extended_max);
    check_pair("edge.first_byte", "edge.duration_max", p.edge_first_byte, p.edge_duration_max);
    check_pair("request.header_max", "request.headers_max", p.header_max, p.headers_max);
  }

  // The file the user named first, then what it extends, then the command line; by line within a file.
  void put_in_order() {
    const auto rank = [&](const Diagnostic& d) {
      if (d.line == 0) return d.file == "--profile" ? std::size_t{0} : chain_.size() + 1;
      for (std::size_t i = 0; i < chain_.size(); ++i)
        if (chain_[i].source->file() == d.file) return chain_.size() - i;
      return chain_.size();
    };
    std::stable_sort(out_.begin(), out_.end(), [&](const Diagnostic& a, const Diagnostic& b) {
      const std::size_t ra = rank(a), rb = rank(b);
      if (ra != rb || a.line == 0) return ra < rb;  // overrides stay in the order in which they were given
      return std::tie(a.line, a.col) < std::tie(b.line, b.col);
    });
    if (out_.size() >= kMaxDiagnostics)
      out_.back().message += fmt::format(" (there may be more: only {} mistakes are shown)", out_.size());
  }

  void name_profile() {
    const Layer& top = chain_.back();
    std::string_view stem = std::string_view(name_).substr(name_.rfind('/') + 1);
    if (is_path(stem)) stem = stem.substr(0, stem.rfind('.'));
    profile_.name = top.name.empty() ? std::string(stem) : top.name;
    profile_.title = top.title;
    if (top.title.empty()) {
      profile_.title = profile_.name;
      if (chain_.size() > 1) profile_.title += ", based on " + *top.extends;
    }
    for (const Key& k : keys()) {
      const Provenance& from = provenance_of(profile_, k);
      if (from.confidence != "CHOICE") profile_.as_of = std::max(profile_.as_of, from.as_of);
    }
  }

  std::string name_;
  std::span<const std::string> overrides_;
  const ReadFile& read_;
  std::vector<Layer> chain_;
  std::map<const Key*, Origin> origins_;
  Profile profile_;
  bool broken_chain_ = false;
  std::vector<Diagnostic> out_;
};

}  // namespace

bool is_path(std::string_view name_or_path) {
  return name_or_path.find('/') != std::string_view::npos || name_or_path.ends_with(".yaml") ||
         name_or_path.ends_with(".yml");
}

LoadResult load_profile(std::string_view name_or_path, std::span<const std::string> set_overrides,
                        const ReadFile& read) {
  return Loader(name_or_path, set_overrides, read).run();
}

}  // namespace vsim::profile
