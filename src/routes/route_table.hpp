// The functions of a project and how a request path or Next's own page name finds one. Follows Next's file
// conventions and precedence. Pure: built from Functions that project/ read from the sources.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routes/function.hpp"

namespace vsim::routes {

class RouteTable {
 public:
  // `base_path` is "" or "/docs". Functions with equal routes: `app` wins over `pages`, as in Next.
  RouteTable(std::vector<Function> functions, std::string base_path);
  ~RouteTable();

  // The function a request path reaches: static segments before dynamic, dynamic before catch-all, catch-all
  // before optional catch-all. The base path must be there when there is one. /_next/data/<build>/x.json
  // finds the page. nullptr: none (a public file, or Next's 404).
  const Function* match(std::string_view path) const;
  // By Next's name of the page as the agent tells it ("/api/users/[id]/route", "/(shop)/cart/page",
  // "/api/hello"). nullptr when unknown.
  const Function* find_page(std::string_view page, Kind kind) const;

  const std::vector<Function>& functions() const;
  const std::string& base_path() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace vsim::routes
