#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sweep/desk.h"

namespace etude::sweep {

// What the bodies of requests say. Everything here throws Refusal: 400 for what is no JSON in UTF-8, 422 for what is,
// but none that is understood, with the name of what is wrong.

struct AskRequest {
  std::string request;
  Worker worker;
};
AskRequest parse_ask(const std::string& body);

/// `objectives` are the names of metrics, the first of which a bare "value" is.
std::vector<Measurement> parse_reports(const std::string& body, const std::vector<std::string>& objectives);

/// A bare "value" or "values" are the objectives'.
Outcome parse_end(const std::string& body, const std::vector<std::string>& objectives);

struct EnqueueRequest {
  std::string request;
  std::map<std::string, Json> parameters;
};
EnqueueRequest parse_enqueue(const std::string& body);

/// The asker's word for what is asked once: {"request": "…"}.
std::string parse_request_word(const std::string& body);

/// Throws unless it is {} or empty.
void parse_nothing(const std::string& body);

/// A number, or "nan", "inf", "-inf".
Json number_as_json(double value);

}  // namespace etude::sweep
