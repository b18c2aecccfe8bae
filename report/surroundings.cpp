#include "report/surroundings.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/run/run_folder.h"

namespace etude::report {
namespace {

namespace fs = std::filesystem;

/// Null where there is none, or none that can be read.
Json document(const fs::path& file) {
  try {
    return Json::parse(files::read(file), nullptr, /*allow_exceptions=*/false);
  } catch (const Error&) {
    return nullptr;
  }
}

/// Of the first of a run's checkpoints that is there.
Json of_checkpoint(const fs::path& run, const char* file) {
  for (const char* link : {"last", "final", "best"}) {
    Json found = document(run::RunFolder(run).checkpoints() / link / file);
    if (found.is_object()) return found;
  }
  return nullptr;
}

std::string pack_of(const fs::path& run) {
  const Json state = of_checkpoint(run, "state.json");
  const auto made_from = state.find("made_from");
  return made_from == state.end() ? "" : Run::text(*made_from, "the pack (its hash)");
}

/// Of the tokens that an n-gram model can be measured on, the first of each piece is missing.
constexpr double kAsGoodAsAll = 0.9;

void read_floor(const fs::path& run, const std::string& pack, std::int64_t evaluated, Surroundings& around) {
  const Json floor = document(run / "floor.json");
  // One of another pack, or of another split than is evaluated while training, says nothing.
  if (!floor.is_object() || Run::text(floor, "split") != "validation") return;
  if (const std::string of = Run::text(floor, "pack"); !pack.empty() && !of.empty() && of != pack) return;
  around.floor = Run::number(floor, {"loss"});
  around.floor_order = static_cast<std::int64_t>(std::clamp(Run::number(floor, {"order"}).value_or(0), 0.0, 1e6));
  around.floor_on_more = static_cast<double>(evaluated) < kAsGoodAsAll * Run::number(floor, {"tokens"}).value_or(0);
  const auto orders = floor.find("orders");
  if (orders == floor.end() || !orders->is_array()) return;
  for (const Json& order : *orders) {
    if (Run::number(order, {"order"}) == 1) around.unigram = Run::number(order, {"loss"});
  }
}

/// What stands in a file from a byte on, up to the end of its last whole line.
std::string whole_lines_from(const fs::path& file, std::uint64_t begin) {
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(begin));
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  text.resize(text.rfind('\n') + 1);  // npos + 1 is 0
  return text;
}

std::vector<fs::path> children(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    found.push_back(entry->path());
  }
  std::ranges::sort(found);
  return found;
}

/// The lines that tell of evaluations, without reading the others, which are many.
template <typename Take>
void each_evaluation(std::string_view text, const Take& take) {
  constexpr std::string_view kMark = "\"eval_loss\"";
  for (std::size_t at = text.find(kMark); at != text.npos;) {
    const std::size_t newline = text.rfind('\n', at);
    const std::size_t begin = newline == text.npos ? 0 : newline + 1;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const Json row = Json::parse(text.substr(begin, end - begin), nullptr, false);
    if (row.is_object()) take(row);
    at = text.find(kMark, end);
  }
}

}  // namespace

const Neighbourhood::Neighbour& Neighbourhood::look(const fs::path& run) {
  Neighbour& neighbour = known_[run];
  const fs::path metrics = run::RunFolder(run).metrics();
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(metrics, failed);
  if (failed || size < neighbour.seen) neighbour = {};  // gone, or a run that was resumed or begun anew
  if (failed || size == neighbour.seen) return neighbour;
  const std::string added = whole_lines_from(metrics, neighbour.seen);
  neighbour.seen += added.size();
  if (neighbour.pack.empty()) neighbour.pack = pack_of(run);
  each_evaluation(added, [&neighbour](const Json& row) {
    const auto loss = Run::number(row, {"eval_loss"});
    if (loss && *loss < neighbour.best.value_or(INFINITY)) neighbour.best = loss;
    const double tokens = Run::number(row, {"eval_tokens"}).value_or(0);
    neighbour.evaluated = static_cast<std::int64_t>(std::clamp(tokens, 0.0, 9e15));
  });
  return neighbour;
}

Surroundings Neighbourhood::of(const fs::path& run) {
  Surroundings around;
  const Neighbour own = look(run);
  read_floor(run, own.pack, own.evaluated, around);
  const Json model = of_checkpoint(run, "config.json");
  if (const auto size = Run::number(model, {"vocab_size"}); size && *size > 1 && *size < 1e9) {
    around.vocabulary = static_cast<std::int64_t>(*size);
  }
  std::error_code failed;
  const fs::path folder = fs::absolute(run, failed).lexically_normal();
  const fs::path parent = (folder.has_filename() ? folder : folder.parent_path()).parent_path();
  around.siblings_folder = parent.filename().string();
  if (own.pack.empty() || !own.best) return around;
  for (const fs::path& child : children(parent)) {
    if (fs::equivalent(child, run, failed)) continue;
    const Neighbour& other = look(child);
    if (!other.best || other.pack != own.pack || other.evaluated != own.evaluated) continue;
    around.siblings.push_back({child.filename().string(), *other.best});
  }
  return around;
}

}  // namespace etude::report
