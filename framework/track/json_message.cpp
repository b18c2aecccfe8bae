#include "framework/track/json_message.h"

#include <nlohmann/json.hpp>

namespace etude::track {
namespace {

nlohmann::json message(const Sender& sender, const char* event, std::int64_t step, double time, nlohmann::json values) {
  return {{"run", sender.run}, {"id", sender.id}, {"event", event},
          {"step", step},      {"time", time},    {"values", std::move(values)}};
}

}  // namespace

nlohmann::json begin_message(const Sender& sender, const log::RunFacts& facts, double time) {
  nlohmann::json values{{"steps", facts.steps}, {"folder", facts.folder.string()}};
  for (const auto& [name, value] : facts.circumstances) values[name] = value;
  nlohmann::json config = nlohmann::json::object();
  for (const auto& [name, value] : facts.settings) config[name] = value;
  values["config"] = std::move(config);
  return message(sender, "begin", facts.done, time, std::move(values));
}

nlohmann::json figures_message(const Sender& sender, const Message& one) {
  const char* event = one.kind == Message::Kind::kStep ? "step" : "evaluation";
  return message(sender, event, one.figures.step, one.figures.time, one.figures.values);
}

nlohmann::json end_message(const Sender& sender, log::State state, std::int64_t step, double time) {
  return message(sender, "end", step, time, {{"state", log::name_of(state)}});
}

}  // namespace etude::track
