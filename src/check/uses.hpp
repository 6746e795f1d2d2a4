// What is done to something that outlives a request, place by place, and what that amounts to: state that one
// request leaves for another, or a cache, a lazily made client, a pool, a snapshot. Pure; used by state.cpp
// and object_state.cpp.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check/predicates.hpp"
#include "check/state.hpp"

namespace vsim::check {

struct Use {
  const File* file;
  const Ast* ast;
  int node;
  std::string_view name;  // what the holder is called there: "jobs", "this.jobs", "getJobs"
  enum Kind { read, assign, update, insert, remove, emit, listen } kind;
  int value = kNone;          // of assign, and what a subscript or a property is set to
  bool part = false;          // of a member that holds many things itself
  std::string_view method{};  // that is called on it
};

// A place where the holder is: an identifier, `this.jobs`, `getJobs()`.
struct Ref {
  const File* file;
  int node;
  std::string_view name;
};

// What is done there; nullopt for a declaration or a type. `parts` are the members that hold many things.
std::optional<Use> classify(const Ref& ref, const std::set<std::string_view>& parts = {});

// References of a binding of the module's top level in functions that requests may run, here and where it is
// imported; also through functions that give it (`getStore()`) and names that it is given there.
std::vector<Ref> references(const Program& program, const File& file, const std::string& name);
// Places where `function`'s result is used, and names that it is given there.
std::vector<Ref> results_of(const Program& program, const File& file, int function);
// The names that the value at node i is given inside its function: `const store = getStore();`
void add_alias(const File& file, int i, std::vector<Ref>& out);

// The function that gives the value at node i as a whole: `return x;`, `() => x`, `return (x ??= new X());`
int given_by(const Ast& ast, int i);

// Looked up first, made when missing, given back: a cache of what can be made again.
bool fills_cache(const Use& insert);
// One request changes it and another reads it; sets the detail.
bool changed(const std::vector<Use>& uses, Container container, std::string& detail);
// One request emits what another listens for. Within one function both ends are the same request's.
bool crosses_requests(const std::vector<Use>& uses, std::string& detail);

// `value` of a static field of a class, or what is assigned to it, is an object whose fields requests share.
// `refs` are the places of the field; the methods that give it are followed.
bool instance_shares(Match& m, int value, int body, const std::string& class_name,
                     const std::vector<Ref>& refs);

}  // namespace vsim::check
