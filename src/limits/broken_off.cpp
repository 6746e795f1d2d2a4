#include "limits/broken_off.hpp"

namespace vsim::limits::broken_off {

Verdict verdict(How how, const Cause* cause, std::string_view route, std::string_view file) {
  Verdict v;
  const bool begun = how == How::truncated;
  v.code = begun ? Code::sim_response_broken_off : Code::no_response_from_function;
  v.enforced = !begun;
  if (how == How::garbage)
    v.measured = "what it sent is not HTTP";
  else if (cause == nullptr)
    v.measured = begun ? "its connection ended in the middle of the response"
                       : "its connection ended before a response came";
  else
    v.measured = begun ? "the function broke off its response" : "the function destroyed its response";
  if (cause != nullptr && !cause->message.empty()) v.measured += ": " + cause->message;
  v.route = route;
  v.file = cause != nullptr && !cause->source.empty() ? std::string_view(cause->source) : file;
  if (!begun && cause != nullptr)
    v.fix =
        "Answer with a status of your own (res.status(…).end()) instead of destroying the response or its "
        "socket: Vercel answers 502 for a function that ends without one.";
  return v;
}

}  // namespace vsim::limits::broken_off
