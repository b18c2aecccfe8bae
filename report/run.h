#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace etude::report {

using Json = nlohmann::json;

/// Figures along a run, each list as long as `step`. What was not known is NaN.
struct Series {
  std::vector<double> step;
  std::vector<double> tokens;   ///< targets learned from since the run began
  std::vector<double> seconds;  ///< of training since the run began
  std::vector<double> loss;
  std::vector<double> loss_per_note;  ///< of evaluations alone; else empty

  std::size_t size() const { return step.size(); }
};

/// What metrics.jsonl tells.
struct History {
  Series train;
  Series evaluation;
  std::int64_t step = 0;   ///< of the last line
  std::int64_t steps = 0;  ///< how many there were to be; 0 while unknown
  double tokens = 0;
  double seconds = 0;
  std::int64_t non_finite = 0;  ///< logged steps whose loss was no number
  std::int64_t broken = 0;      ///< lines that are no JSON object, half of a last one included
  double final_train_loss = 0;  ///< mean over the last twentieth of the logged steps; NaN without any
};

/// What a run folder holds, as far as it could be read. Documents that are not there are null.
struct Run {
  std::filesystem::path folder;
  std::string name;              ///< the folder's, with as much of its parents' as tells it from the other runs
  Json config = Json::object();  ///< by dotted keys: {"model.kind": "gpt2", …}
  Json environment;
  Json tokenizer;
  Json evaluation;
  Json floor;
  Json music;
  Json job;  ///< status.json
  History history;
  std::optional<double> parameters;
  std::optional<double> flops_per_token;  ///< of training: forward and backward
  bool finished = false;
  std::vector<std::string> marks;  ///< what is missing or damaged, in words

  std::string kind() const;  ///< of model; "unknown"
  /// A number at the end of a path of keys of a document, if there is one.
  static std::optional<double> number(const Json& document, std::initializer_list<const char*> keys);
  static std::string text(const Json& document, const char* key);
};

}  // namespace etude::report
