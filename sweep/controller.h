#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sweep/desk.h"

namespace etude::sweep {

struct Conduct;

/// How it is with a trial that a worker has.
struct Standing {
  Worker worker;
  Verdict verdict = Verdict::kContinue;
  std::string reason;
  double given = 0;  ///< when it was handed out
  double last_word = 0;
};

/// Runs a study: gives out trials, takes their reports, decides who goes on, keeps within the budget, and notices who
/// was lost. The one writer of its study; safe to be called from many threads. Whatever it has answered to is in the
/// storage. It knows nothing of HTTP nor of how trials are started.
class Controller final : public Desk {
 public:
  using Clock = std::function<double()>;  ///< seconds since 1970

  /// Opens or creates the study, claims it, and takes over what an earlier controller left. Throws UsageError when the
  /// study was made for other objectives, or is held by another controller.
  Controller(const SweepFile& sweep, std::unique_ptr<Storage> storage, Clock clock);
  ~Controller() override;

  std::optional<Order> ask(const Worker& worker, const std::string& request) override;
  Answer report(std::int64_t number, const std::vector<Measurement>& measurements) override;
  void tell(std::int64_t number, const Outcome& outcome) override;
  std::int64_t enqueue(const std::map<std::string, Json>& values, const std::string& request) override;
  std::int64_t retry(std::int64_t number, const std::string& request) override;
  void prune(std::int64_t number) override;
  void stop() override;
  void view(const std::function<void(const View&)>& look) override;

  /// It was lost (its node died, its lease is over): it is to be begun again from its checkpoint, or FAILs.
  void lose(std::int64_t number, const std::string& why);

  /// What it has measured while nobody listened, and now that it runs no more: nothing is decided by it.
  void catch_up(std::int64_t number, const std::vector<Measurement>& measurements);

  /// Its job is through: as tell(), for whoever launched it. Until then it keeps its place, whatever its ranks have
  /// told.
  void ended(std::int64_t number, const Outcome& outcome);

  /// What is known of when a launched trial ran, in place of what was noted before.
  void note_stints(std::int64_t number, std::vector<Stint> stints);
  /// Trials that are with a worker, and what it was told; also those that an earlier controller gave out.
  std::map<std::int64_t, Standing> standings();
  /// What this trial's worker was given, once more.
  Order order(std::int64_t number);
  /// To be called every second or so: leases that are over, budgets, what others wrote into the storage.
  void look_around();
  /// A system attribute of the study.
  void remember(const std::string& key, const Json& value);
  /// Whether all is done: nothing runs, and nothing will begin.
  bool finished();

 private:
  std::unique_ptr<Conduct> conduct_;
};

}  // namespace etude::sweep
