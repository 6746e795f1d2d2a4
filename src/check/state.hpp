// What the state rules know of values and names: what holds many things, what every instance may well have
// for itself, what lies on globalThis. Pure; shared by state.cpp and class_state.cpp.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "check/program.hpp"

namespace vsim::check {

// Values that every instance may well have for itself (caches, clients): what is lost is time, not truth.
bool per_instance_by_name(std::string_view name, bool constant);

enum class Container : std::uint8_t { no, keyed, list, emitter };
// What a value makes: a Map, a Set or an object, a list, an EventEmitter. A member ("g.rooms") is what the
// module's top level puts there.
Container container_of(const Ast& ast, int value);

// The same, also for what a function of the project makes, lru-cache and its like, and classes that extend
// EventEmitter, Map or Set.
Container container_in(const Program& program, const File& file, int value, int depth = 0);
// The members of an object literal that hold many things themselves: `{ clients: new Set() }`.
std::set<std::string_view> parts_of(const Program& program, const File& file, int value);

// "rooms" of a value that reads globalThis.rooms or global.rooms, also by another name; else "".
std::string global_key(const Ast& ast, int value);

}  // namespace vsim::check
