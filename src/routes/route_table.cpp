#include "routes/route_table.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/text.hpp"
#include "routes/app_path.hpp"

namespace vsim::routes {
namespace {

// One URL segment position. Children are tried in Next's order: literal, [param], [...rest], [[...rest]]; the
// first that leads to a function wins, so a dead end under a literal falls back to the parameter beside it.
struct Node {
  std::map<std::string, std::uint32_t, std::less<>> literal;
  std::uint32_t dynamic = 0;             // 0: none (the root is nobody's child)
  std::vector<std::uint32_t> here;       // functions whose pattern ends here, best first
  std::vector<std::uint32_t> catch_all;  // ... that take one or more segments from here
  std::vector<std::uint32_t> optional;   // ... zero or more
};

int precedence(Kind k) { return k == Kind::pages || k == Kind::pages_api ? 1 : 0; }

// False on a malformed escape: Next answers 400 to it and runs nothing.
bool percent_decode(std::string_view in, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '%') {
      out.push_back(in[i]);
      continue;
    }
    if (i + 2 >= in.size() || hex_digit(in[i + 1]) < 0 || hex_digit(in[i + 2]) < 0) return false;
    out.push_back(static_cast<char>(hex_digit(in[i + 1]) * 16 + hex_digit(in[i + 2])));
    i += 2;
  }
  return true;
}

struct Segment {
  std::string_view raw;
  std::string decoded;
};

}  // namespace

struct RouteTable::Impl {
  std::vector<Function> functions;
  std::string base_path;
  std::vector<Node> nodes{1};
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_page;   // Function::page
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_route;  // Function::route

  void insert(std::uint32_t index);
  bool accepts(std::uint32_t index, bool pages_only) const {
    return !pages_only || functions[index].kind == Kind::pages;
  }
  const Function* first(const std::vector<std::uint32_t>& list, bool pages_only) const {
    for (const std::uint32_t i : list)
      if (accepts(i, pages_only)) return &functions[i];
    return nullptr;
  }
  const Function* walk(std::uint32_t node, const std::vector<Segment>& segments, std::size_t at,
                       bool pages_only) const;
  const Function* pick(const std::vector<std::uint32_t>& list, Kind kind) const {
    for (const std::uint32_t i : list)
      if (kind == Kind::unknown || functions[i].kind == kind) return &functions[i];
    return nullptr;
  }
};

void RouteTable::Impl::insert(std::uint32_t index) {
  std::uint32_t at = 0;
  std::vector<std::uint32_t>* list = nullptr;
  for (const std::string_view segment : split_path(functions[index].route)) {
    if (list != nullptr) return;  // nothing may follow a catch-all; Next refuses such an app
    switch (segment_kind(segment)) {
      case SegmentKind::catch_all:
        list = &nodes[at].catch_all;
        break;
      case SegmentKind::optional_catch_all:
        list = &nodes[at].optional;
        break;
      case SegmentKind::dynamic: {
        std::uint32_t next = nodes[at].dynamic;
        if (next == 0) {
          next = nodes[at].dynamic = static_cast<std::uint32_t>(nodes.size());
          nodes.emplace_back();
        }
        at = next;
        break;
      }
      case SegmentKind::literal: {
        const auto found = nodes[at].literal.find(segment);
        if (found != nodes[at].literal.end()) {
          at = found->second;
        } else {
          const auto next = static_cast<std::uint32_t>(nodes.size());
          nodes[at].literal.emplace(segment, next);
          nodes.emplace_back();
          at = next;
        }
        break;
      }
    }
  }
  if (list == nullptr) list = &nodes[at].here;
  list->push_back(index);
  std::stable_sort(list->begin(), list->end(), [&](std::uint32_t a, std::uint32_t b) {
    return precedence(functions[a].kind) < precedence(functions[b].kind);
  });
}

const Function* RouteTable::Impl::walk(std::uint32_t node, const std::vector<Segment>& segments,
                                       std::size_t at, bool pages_only) const {
  const Node& n = nodes[node];
  if (at == segments.size()) {
    if (const Function* f = first(n.here, pages_only)) return f;
    return first(n.optional, pages_only);
  }
  const Segment& s = segments[at];
  auto child = n.literal.find(s.raw);
  if (child == n.literal.end()) child = n.literal.find(s.decoded);
  if (child != n.literal.end())
    if (const Function* f = walk(child->second, segments, at + 1, pages_only)) return f;
  if (n.dynamic != 0)
    if (const Function* f = walk(n.dynamic, segments, at + 1, pages_only)) return f;
  if (const Function* f = first(n.catch_all, pages_only)) return f;
  return first(n.optional, pages_only);
}

RouteTable::RouteTable(std::vector<Function> functions, std::string base_path) {
  auto impl = std::make_unique<Impl>();
  impl->functions = std::move(functions);
  while (base_path.ends_with('/')) base_path.pop_back();
  impl->base_path = std::move(base_path);
  for (std::uint32_t i = 0; i < impl->functions.size(); ++i) {
    const Function& f = impl->functions[i];
    if (!f.page.empty()) impl->by_page[f.page].push_back(i);
    impl->by_route[f.route].push_back(i);
    // An interception route is reached by a soft navigation, which Next rewrites to its page name; no URL of
    // its own leads there.
    if (f.kind != Kind::middleware && !is_intercepting_route(f.route)) impl->insert(i);
  }
  for (auto& [route, list] : impl->by_route) {
    std::stable_sort(list.begin(), list.end(), [&](std::uint32_t a, std::uint32_t b) {
      return precedence(impl->functions[a].kind) < precedence(impl->functions[b].kind);
    });
  }
  impl_ = std::move(impl);
}

RouteTable::~RouteTable() = default;

const Function* RouteTable::match(std::string_view path) const {
  path = path.substr(0, std::min(path.find('?'), path.find('#')));
  if (path.empty() || path.front() != '/') return nullptr;
  if (path.find("//") != std::string_view::npos || path.find('\\') != std::string_view::npos) {
    return nullptr;  // Next redirects these (308) and runs nothing
  }
  const std::string& base = impl_->base_path;
  if (!base.empty()) {
    if (!path.starts_with(base) || (path.size() > base.size() && path[base.size()] != '/')) return nullptr;
    path.remove_prefix(base.size());
    if (path.empty()) path = "/";
  }
  bool pages_only = false;
  std::string data_path;
  if (path.starts_with("/_next/")) {
    // /_next/data/<build>/blog/x.json runs getServerSideProps of /blog/x; the rest of /_next/ is the dev
    // server's own.
    if (!path.starts_with("/_next/data/") || !path.ends_with(".json")) return nullptr;
    path.remove_prefix(std::string_view("/_next/data/").size());
    const std::size_t slash = path.find('/');
    if (slash == 0 || slash == std::string_view::npos) return nullptr;
    data_path = path.substr(slash, path.size() - slash - std::string_view(".json").size());
    // The root is index.json, and a real /index is index/index.json.
    if (data_path == "/index")
      data_path = "/";
    else if (data_path.starts_with("/index/index"))
      data_path.erase(0, std::string_view("/index").size());
    path = data_path;
    pages_only = true;
  }
  std::vector<Segment> segments;
  for (const std::string_view raw : split_path(path)) {
    Segment s{raw, {}};
    if (!percent_decode(raw, s.decoded)) return nullptr;
    segments.push_back(std::move(s));
  }
  return impl_->walk(0, segments, 0, pages_only);
}

const Function* RouteTable::find_page(std::string_view page, Kind kind) const {
  const auto look = [&](const auto& index, const std::string& key, Kind k) -> const Function* {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : impl_->pick(found->second, k);
  };
  const std::string name(page);
  const std::string route = normalize_app_page(page);
  const bool app_name = page.ends_with("/page") || page.ends_with("/route");
  // First with the kind that was told; then without, because older versions call a metadata route a page and
  // an API route a page.
  for (const Kind k : {kind, Kind::unknown}) {
    if (const Function* f = look(impl_->by_page, name, k)) return f;
    if (const Function* f = look(impl_->by_route, name, k)) return f;
    if (app_name || k == Kind::app_page || k == Kind::app_route)
      if (const Function* f = look(impl_->by_route, route, k)) return f;
    if (name == "/index")
      if (const Function* f = look(impl_->by_route, "/", k)) return f;
    if (k == Kind::unknown) break;
  }
  if (kind == Kind::middleware)
    for (const Function& f : impl_->functions)
      if (f.kind == Kind::middleware) return &f;
  return nullptr;
}

const std::vector<Function>& RouteTable::functions() const { return impl_->functions; }
const std::string& RouteTable::base_path() const { return impl_->base_path; }

}  // namespace vsim::routes
