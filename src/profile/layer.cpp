#include "profile/layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.hpp"

namespace vsim::profile {
namespace {

constexpr std::string_view kFileKeys[] = {"extends", "name", "title"};
constexpr std::string_view kValueKeys[] = {"value", "source", "as_of", "confidence", "note"};

// "default, max, extended_max, stream_cut"
std::string keys_of(std::string_view group) {
  std::vector<std::string_view> out;
  for (const Key& k : keys())
    if (k.name.size() > group.size() && k.name.starts_with(group) && k.name[group.size()] == '.')
      out.push_back(k.name.substr(group.size() + 1));
  return fmt::format("{}", fmt::join(out, ", "));
}

// YYYY-MM-DD, a day that exists.
bool is_date(std::string_view s) {
  if (s.size() != 10 || s[4] != '-' || s[7] != '-') return false;
  const auto number = [&](std::size_t at, std::size_t n) {
    int out = 0;
    for (const char c : s.substr(at, n)) out = c < '0' || c > '9' || out < 0 ? -1 : out * 10 + (c - '0');
    return out;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1 || month < 1 || day < 1) return false;
  return std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

class LayerReader {
 public:
  LayerReader(Layer& layer, std::string_view profile_name, std::vector<Diagnostic>& out)
      : layer_(layer), profile_name_(profile_name), out_(out) {}

  void root(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::null) {
      report(node, "the file is empty: a profile needs at least a line such as \"extends: hobby\"");
      return;
    }
    if (node.kind != YamlNode::Kind::map) {
      report(node, fmt::format("expected keys such as \"extends: hobby\", got {}", what_it_is(node)));
      return;
    }
    layer_.readable = true;
    group("", node);
  }

 private:
  bool full() const { return out_.size() >= kMaxDiagnostics; }

  void report(const YamlNode& node, std::string message) {
    if (!full()) out_.push_back(layer_.source->at(node, std::move(message)));
  }

  template <class F>
  void each(std::string_view path, const YamlNode& map, F&& visit) {
    each_key(
        path, map, [this](const YamlNode& node, std::string message) { report(node, std::move(message)); },
        [&](const std::string& name, const YamlNode& key, const YamlNode& value, bool is_new) {
          if (!full()) visit(name, key, value, is_new);
        });
  }

  void group(const std::string& path, const YamlNode& map) {
    each(path, map, [&](const std::string& name, const YamlNode& key, const YamlNode& value, bool is_new) {
      if (path.empty() &&
          std::find(std::begin(kFileKeys), std::end(kFileKeys), name) != std::end(kFileKeys)) {
        if (is_new) file_key(name, key, value);
      } else if (const Key* k = find_key(name)) {
        setting(*k, key, value, is_new);
      } else if (is_group(name)) {
        if (value.kind == YamlNode::Kind::map)
          group(name, value);
        else
          report(
              value.kind == YamlNode::Kind::null ? key : value,
              fmt::format("{}: expected keys below it ({}), got {}", name, keys_of(name), what_it_is(value)));
      } else {
        report(key, unknown_key(name));
      }
    });
  }

  void file_key(const std::string& name, const YamlNode& key, const YamlNode& value) {
    if (value.kind != YamlNode::Kind::scalar || value.text.empty() ||
        value.text.find('\n') != std::string::npos) {
      report(value.kind == YamlNode::Kind::null ? key : value,
             fmt::format("{}: expected one line of text such as \"{}\", got {}", name,
                         name == "title" ? "Hobby with longer functions" : "hobby", what_it_is(value)));
      if (name == "extends") layer_.extends_unclear = true;
      return;
    }
    if (name == "name") layer_.name = value.text;
    if (name == "title") layer_.title = value.text;
    if (name == "extends") {
      layer_.extends = value.text;
      layer_.extends_place = {value.line, value.column, value.length};
    }
  }

  void setting(const Key& key, const YamlNode& key_node, const YamlNode& node, bool is_new) {
    const bool again =
        std::find(layer_.mentioned.begin(), layer_.mentioned.end(), &key) != layer_.mentioned.end();
    if (again && is_new)
      report(key_node,
             fmt::format("{} is already set above (as {})", key.name,
                         key_node.text.find('.') == std::string::npos ? "a dotted key" : "a nested key"));
    if (!again) layer_.mentioned.push_back(&key);

    Assignment a;
    a.key = &key;
    a.from.profile = profile_name_;
    a.from.file = layer_.source->file();
    a.from.line = key_node.line + 1;
    const YamlNode* value = &node;
    if (node.kind == YamlNode::Kind::map) {
      value = nullptr;
      each(key.name, node, [&](const std::string& full_name, const YamlNode& k, const YamlNode& v, bool) {
        if (k.text == "value")
          value = &v;
        else if (std::find(std::begin(kValueKeys), std::end(kValueKeys), k.text) == std::end(kValueKeys))
          report(k, unknown_value_key(full_name, k.text));
        else
          evidence(full_name, k, v, a.from);
      });
      if (value == nullptr && !full()) {
        report(
            key_node,
            fmt::format("{}: \"value\" is missing: expected a form such as \"{{ value: {}, source: ... }}\"",
                        key.name, key.example));
        return;
      }
      if (value == nullptr) return;
    }
    if (value->kind != YamlNode::Kind::scalar) {
      const bool nothing = value->kind == YamlNode::Kind::null;
      report(nothing ? key_node : *value,
             fmt::format("{}: expected {}, got {}", key.name, expected(key), what_it_is(*value)));
      return;
    }
    Profile probe;
    if (const auto wrong = assign(probe, key, value->text, {})) {
      report(*value, fmt::format("{}: {}", key.name, *wrong));
      return;
    }
    a.text = value->text;
    a.place = {value->line, value->column, value->length};
    layer_.assignments.push_back(std::move(a));
  }

  static std::string unknown_value_key(const std::string& full_name, const std::string& name) {
    std::string message = fmt::format("unknown key {}", shown(full_name));
    if (const auto near = nearest_name(name, kValueKeys))
      return message + fmt::format(": did you mean \"{}\"?", *near);
    return message + fmt::format(": a value may have {}", fmt::join(kValueKeys, ", "));
  }

  void evidence(const std::string& full_name, const YamlNode& key, const YamlNode& value, Provenance& from) {
    const bool text = value.kind == YamlNode::Kind::scalar && !value.text.empty();
    const YamlNode& where = value.kind == YamlNode::Kind::null ? key : value;
    if (key.text == "as_of") {
      if (text && is_date(value.text))
        from.as_of = value.text;
      else
        report(where,
               fmt::format("{}: expected a date such as 2026-08-24, got {}", full_name, what_it_is(value)));
      return;
    }
    if (key.text == "confidence") {
      std::vector<std::string_view> words;
      for (const Word& w : confidences()) words.push_back(w.word);
      if (text && std::find(words.begin(), words.end(), value.text) != words.end()) {
        from.confidence = value.text;
        return;
      }
      std::string message =
          fmt::format("{}: expected one of {}, got {}", full_name, fmt::join(words, ", "), what_it_is(value));
      if (const auto near = text ? nearest_name(value.text, words) : std::nullopt)
        message += fmt::format(" (did you mean \"{}\"?)", *near);
      report(where, message);
      return;
    }
    if (!text)
      report(where, fmt::format("{}: expected text, got {}", full_name, what_it_is(value)));
    else if (key.text == "source" && value.text.find_first_of("\n\t") != std::string::npos)
      report(where,
             fmt::format("{}: expected one line such as \"https://vercel.com/docs/limits\"", full_name));
    else if (key.text == "source")
      from.source = value.text;
    else
      from.note = value.text;
  }

  Layer& layer_;
  std::string profile_name_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

std::string unknown_key(std::string_view name) {
  std::string message = fmt::format("unknown key {}", shown(name));
  const std::vector<std::string_view> names = key_names();
  const auto last_word = [](std::string_view key) { return key.substr(key.rfind('.') + 1); };
  const auto group_of = [](std::string_view key) {
    return key.substr(0, std::min(key.rfind('.'), key.size()));
  };
  const bool in_group = name.find('.') != std::string_view::npos && is_group(group_of(name));

  if (in_group) {
    std::vector<std::string_view> here;
    for (const std::string_view n : names)
      if (n.find('.') != std::string_view::npos && group_of(n) == group_of(name))
        here.push_back(last_word(n));
    if (const auto near = nearest_name(last_word(name), here))
      return message + fmt::format(": did you mean \"{}.{}\"?", group_of(name), *near);
  } else {
    std::vector<std::string_view> all = names;
    for (const std::string_view n : names)
      if (n.find('.') != std::string_view::npos) all.push_back(group_of(n));
    all.insert(all.end(), std::begin(kFileKeys), std::end(kFileKeys));
    if (const auto near = nearest_name(name, all))
      return message + fmt::format(": did you mean \"{}\"?", *near);
  }
  for (const std::string_view n : names)  // the right word in the wrong place
    if (last_word(n) == last_word(name)) return message + fmt::format(": did you mean \"{}\"?", n);
  if (in_group) return message + fmt::format(": \"{}\" has {}", group_of(name), keys_of(group_of(name)));
  return message + ": docs/profiles.md lists them all";
}

Layer read_layer(std::string file, std::string_view text, std::string_view profile_name,
                 std::vector<Diagnostic>& out) {
  Layer layer;
  layer.source = std::make_unique<Source>(std::move(file), text);
  if (out.size() >= kMaxDiagnostics) return layer;
  const auto root = parse_yaml(*layer.source, out);
  if (root) LayerReader(layer, profile_name, out).root(*root);
  return layer;
}

}  // namespace vsim::profile
