#include "profile/words.hpp"

namespace vsim::profile {
namespace {

constexpr WordFor<Plan> kPlans[] = {{Plan::hobby, "hobby", "the free plan"},
                                    {Plan::pro, "pro", "the paid plan"},
                                    {Plan::enterprise, "enterprise", "the contract plan"}};

constexpr WordFor<Compute> kComputes[] = {
    {Compute::serverless, "serverless", "one invocation at a time per instance, no WebSockets"},
    {Compute::fluid, "fluid", "Fluid compute: invocations share instances, WebSockets are pinned to one"}};

constexpr WordFor<Isolation> kIsolations[] = {
    {Isolation::invocation, "invocation", "every invocation on a fresh instance"},
    {Isolation::instance, "instance", "one invocation at a time per instance, reused while warm"},
    {Isolation::fluid, "fluid", "many invocations at a time share an instance"},
    {Isolation::none, "none", "everything in one process, as under plain `next dev`"}};

constexpr WordFor<WebSocketPolicy> kPolicies[] = {
    {WebSocketPolicy::reject, "reject", "upgrades of the application are refused"},
    {WebSocketPolicy::tunnel, "tunnel",
     "passed to the application, closed at the function's maximum duration"}};

constexpr WordFor<WebSocketRefusal> kRefusals[] = {
    {WebSocketRefusal::reject, "reject", "answered at once with `websocket.refusal_status`"},
    {WebSocketRefusal::deliver_as_get, "deliver-as-get",
     "the route runs as a plain GET, its answer fails the handshake"},
    {WebSocketRefusal::drop, "drop", "never answered: the client times out"}};

constexpr WordFor<StreamCut> kStreamCuts[] = {
    {StreamCut::abrupt, "abrupt", "the connection is closed without the last chunk"},
    {StreamCut::clean, "clean", "the body is ended as if it were complete"}};

constexpr WordFor<Mode> kModes[] = {{Mode::enforce, "enforce", "the platform's answer is given"},
                                    {Mode::observe, "observe", "reported only"},
                                    {Mode::off, "off", "not measured"}};

constexpr WordFor<Switch> kSwitches[] = {{Switch::on, "on", "it is done"}, {Switch::off, "off", "it is not"}};

constexpr WordFor<Strictness> kStrictness[] = {
    {Strictness::enforce, "enforce", "what is certain fails as on the platform, the rest is told"},
    {Strictness::warn, "warn", "told, and let through"},
    {Strictness::off, "off", "not looked at"}};

constexpr WordFor<MiddlewareInstances> kMiddleware[] = {
    {MiddlewareInstances::on, "on", "it does"},
    {MiddlewareInstances::nodejs, "nodejs",
     "it does where it is of the Node.js runtime (`proxy.ts`); that of the edge runtime runs in `next dev`"},
    {MiddlewareInstances::off, "off", "it runs in `next dev`, in one process"}};

template <class E>
std::string_view word_of(E value) {
  for (const auto& w : words_for(value))
    if (w.value == value) return w.word;
  return "?";
}

}  // namespace

std::span<const WordFor<Plan>> words_for(Plan) { return kPlans; }
std::span<const WordFor<Compute>> words_for(Compute) { return kComputes; }
std::span<const WordFor<Isolation>> words_for(Isolation) { return kIsolations; }
std::span<const WordFor<WebSocketPolicy>> words_for(WebSocketPolicy) { return kPolicies; }
std::span<const WordFor<WebSocketRefusal>> words_for(WebSocketRefusal) { return kRefusals; }
std::span<const WordFor<StreamCut>> words_for(StreamCut) { return kStreamCuts; }
std::span<const WordFor<Mode>> words_for(Mode) { return kModes; }
std::span<const WordFor<Switch>> words_for(Switch) { return kSwitches; }
std::span<const WordFor<Strictness>> words_for(Strictness) { return kStrictness; }
std::span<const WordFor<MiddlewareInstances>> words_for(MiddlewareInstances) { return kMiddleware; }

std::string_view to_string(Plan v) { return word_of(v); }
std::string_view to_string(Compute v) { return word_of(v); }
std::string_view to_string(Isolation v) { return word_of(v); }
std::string_view to_string(WebSocketPolicy v) { return word_of(v); }
std::string_view to_string(WebSocketRefusal v) { return word_of(v); }
std::string_view to_string(StreamCut v) { return word_of(v); }
std::string_view to_string(Mode v) { return word_of(v); }
std::string_view to_string(Switch v) { return word_of(v); }
std::string_view to_string(Strictness v) { return word_of(v); }
std::string_view to_string(MiddlewareInstances v) { return word_of(v); }

}  // namespace vsim::profile
