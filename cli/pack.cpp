#include "data/shard/pack.h"

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/commands.h"
#include "data/pack/builder.h"
#include "framework/config/error.h"
#include "framework/log/console.h"
#include "framework/log/format.h"

namespace etude::cli {
namespace {

constexpr int kInterrupted = 130;  // as shells say it: 128 + SIGINT

struct Arguments {
  data::PackRequest request;
  std::string transpose;
  std::vector<std::string> where;
  std::string labels;
  bool verbose = false;
};

/// While one lives, Ctrl-C and SIGTERM only ask for an end, so that nothing half-written stays. The second one kills.
class StopOnSignal {
 public:
  StopOnSignal() {
    struct sigaction action {};
    action.sa_handler = [](int) { asked_ = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
  }
  ~StopOnSignal() {
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
  }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  static bool asked() { return asked_; }

 private:
  static inline std::atomic<bool> asked_ = false;
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

int parse_semitones(const std::string& text, const std::string& whole) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value < -127 || value > 127) {
    throw UsageError(fmt::format("--transpose {}: must be LOW..HIGH in semitones, such as -5..6", whole));
  }
  return value;
}

std::pair<int, int> parse_range(const std::string& text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return {parse_semitones("", text), 0};
  return {parse_semitones(text.substr(0, dots), text), parse_semitones(text.substr(dots + 2), text)};
}

data::PackRequest complete(const Arguments& arguments) {
  data::PackRequest request = arguments.request;
  if (!arguments.transpose.empty()) request.transpose = parse_range(arguments.transpose);
  for (const std::string& condition : arguments.where) {
    const std::size_t sign = condition.find('=');
    if (sign == std::string::npos || sign == 0) {
      throw UsageError(fmt::format("--transpose-where {}: must be KEY=TEXT, such as composer=chopin", condition));
    }
    request.transpose_where[condition.substr(0, sign)] = condition.substr(sign + 1);
  }
  if (!arguments.labels.empty()) request.labels = arguments.labels;
  return request;
}

/// Shows how far it is: a bar on a terminal, elsewhere one line for every tenth of the way.
class Reporter {
 public:
  explicit Reporter(bool verbose) : verbose_(verbose) {}

  void progress(std::int64_t files, std::int64_t of) {
    if (!bar_) bar_ = std::make_unique<log::Progress>("pack", of, stderr);
    constexpr std::int64_t kLines = 10;
    if (files * kLines / of > (files - 1) * kLines / of) {
      bar_->update(files, fmt::format("{} left out", left_out_));
    } else {
      bar_->tick(files);
    }
  }

  void skipped(const data::Skipped& skipped) {
    ++left_out_;
    if (!verbose_) return;
    const std::string line = fmt::format("left out {}: {}", skipped.file, skipped.reason);
    bar_ ? bar_->message(line) : fmt::print(stderr, "{}\n", line);
  }

  void finish() {
    if (bar_) bar_->finish("");
    bar_.reset();
  }

 private:
  bool verbose_;
  std::int64_t left_out_ = 0;
  std::unique_ptr<log::Progress> bar_;
};

void print_left_out(const data::Manifest& manifest) {
  std::vector<const data::Skipped*> unreadable;
  std::int64_t duplicates = 0, too_short = 0;
  for (const data::Skipped& skipped : manifest.skipped) {
    switch (skipped.kind) {
      case data::SkipKind::kUnreadable:
        unreadable.push_back(&skipped);
        break;
      case data::SkipKind::kDuplicate:
        ++duplicates;
        break;
      case data::SkipKind::kShort:
        ++too_short;
        break;
    }
  }
  if (duplicates > 0) fmt::print(stderr, "{} left out: the same as another\n", log::with_thousands(duplicates));
  if (too_short > 0) fmt::print(stderr, "{} left out: too few notes (--min-notes)\n", log::with_thousands(too_short));
  if (unreadable.empty()) return;
  fmt::print(stderr, "{} could not be read:\n", log::with_thousands(static_cast<std::int64_t>(unreadable.size())));
  constexpr std::size_t kShown = 50;
  for (std::size_t i = 0; i < std::min(kShown, unreadable.size()); ++i) {
    fmt::print(stderr, "  {}: {}\n", unreadable[i]->file, unreadable[i]->reason);
  }
  if (unreadable.size() > kShown) fmt::print(stderr, "  and {} more, all in pack.json\n", unreadable.size() - kShown);
}

void run_pack(const Arguments& arguments) {
  const data::PackRequest request = complete(arguments);
  const StopOnSignal signals;
  Reporter reporter(arguments.verbose);
  data::PackReport report;
  try {
    report = data::build_pack(request, {[&](std::int64_t files, std::int64_t of) { reporter.progress(files, of); },
                                        [&](const data::Skipped& skipped) { reporter.skipped(skipped); },
                                        [] { return StopOnSignal::asked(); }});
  } catch (const data::Interrupted& interrupted) {
    reporter.finish();
    fmt::print(stderr, "etude: {}\n", interrupted.what());
    throw ExitCode{kInterrupted};
  }
  reporter.finish();
  print_left_out(report.manifest);
  for (const std::string& warning : report.warnings) fmt::print(stderr, "warning: {}\n", warning);
  fmt::print("{}", data::Pack::open(request.output).describe());
}

}  // namespace

void add_pack(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  data::PackRequest& request = arguments->request;
  CLI::App* command =
      app.add_subcommand("pack", "Turn folders of MIDI and ABC files into a pack of tokens to train on");
  command
      ->add_option("--input", request.inputs,
                   "Folder of .mid, .midi and .abc files, with all folders below; may be repeated")
      ->required()
      ->type_name("DIR");
  command->add_option("--output", request.output, "Folder of the pack; appears when all is done")
      ->required()
      ->type_name("DIR");
  command->add_option("--format", request.format, "Of the shards: h5 (HDF5, default) or pt (torch.load)")
      ->transform(CLI::Transformer(std::map<std::string, data::ShardFormat>{{"h5", data::ShardFormat::kHdf5},
                                                                            {"pt", data::ShardFormat::kTorch}})
                      .description(""))
      ->type_name("h5|pt");
  command->add_option("--tokenizer", request.tokenizer, "How music becomes tokens")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--validation", request.validation, "Share of the music to choose models by")
      ->type_name("SHARE")
      ->capture_default_str();
  command->add_option("--test", request.test, "Share of the music to measure models with")
      ->type_name("SHARE")
      ->capture_default_str();
  command->add_option("--min-notes", request.min_notes, "Leave out pieces with fewer notes")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--labels", arguments->labels,
                   "Table with a column file, name or id; its other columns become labels of the pieces, a column "
                   "composer their composer")
      ->type_name("CSV");
  command
      ->add_option("--transpose", arguments->transpose,
                   "Add copies of training pieces, transposed by each number of semitones in the range")
      ->type_name("LOW..HIGH");
  command
      ->add_option("--transpose-where", arguments->where,
                   "Copy only pieces whose composer, title, file or label holds the text; may be repeated")
      ->type_name("KEY=TEXT");
  command->add_option("--threads", request.threads, "Files read at a time; 0: one for each core")
      ->check(CLI::Range(0, 1024).description(""))
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--overwrite", request.overwrite, "Replace the pack that is at --output");
  command->add_flag("--verbose", arguments->verbose, "Say of each piece that is left out why, when it is met");
  command->callback([arguments] { run_pack(*arguments); });
}

}  // namespace etude::cli
