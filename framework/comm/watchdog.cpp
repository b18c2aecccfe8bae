#include "framework/comm/watchdog.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/comm/stack_traces.h"
#include "framework/comm/thread_signals.h"

namespace etude::comm {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr auto kLook = std::chrono::milliseconds(100);
/// How long the others may take to answer, and then to write their files.
constexpr auto kAnswers = std::chrono::seconds(5);
/// After that much time in an alarm the process ends, even where the disk or the terminal hangs.
constexpr auto kWholeAlarm = std::chrono::seconds(20);

template <std::size_t N>
void put(std::array<char, N>& place, const std::string& text) {
  text.copy(place.data(), N - 1);  // the rest is zeros already
}

std::string local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &parts);
  return text.data();
}

std::string place_of(const Standing& rank) {
  const std::string where = rank.step > 0 ? fmt::format("at step {}", rank.step) : "before the first step";
  return fmt::format("{}, {}", where, rank.doing.data());
}

std::string line_of(const Flight& flight, Flight::Clock::time_point now) {
  const auto ago = [&](Flight::Clock::time_point then) { return Seconds(now - then).count(); };
  return fmt::format("  {:>6}  {}  posted {:.3f} s ago, {}\n", flight.number, flight.text(), ago(flight.posted),
                     flight.done ? fmt::format("done {:.3f} s ago", ago(*flight.done)) : "not done");
}

}  // namespace

std::string verdict(const std::vector<std::optional<Standing>>& standings) {
  const Standing* stuck = nullptr;  // who waits for the earliest collective
  for (const auto& rank : standings) {
    if (!rank || rank->waits_for == 0) continue;
    if (!stuck || rank->waits_for < stuck->waits_for ||
        (rank->waits_for == stuck->waits_for && rank->waited > stuck->waited)) {
      stuck = &*rank;
    }
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const auto& rank = standings[i];
    if (!rank) {
      missing.push_back(fmt::format("rank {} does not answer (stopped, or its machine is gone)", i));
    } else if (stuck && rank->posted < stuck->waits_for) {
      missing.push_back(fmt::format("rank {} is {}; it has not come to this collective ({} of {} before it)", i,
                                    place_of(*rank), rank->posted, stuck->waits_for - 1));
    } else if (stuck && rank->waits_for == stuck->waits_for && rank->collective != stuck->collective) {
      missing.push_back(fmt::format("rank {} has come to another one: {}", i, rank->collective.data()));
    }
  }
  if (missing.empty()) missing.emplace_back("every rank has come to it: the network between them stands still");
  const std::string who = fmt::format("{}", fmt::join(missing, "; "));
  if (!stuck) return who;
  return fmt::format("{} has not been done for {:.1f} s: {}", stuck->collective.data(), stuck->waited, who);
}

Watchdog::Watchdog(int rank, int size, const FlightRecorder& recorder, Mailbox& mailbox, Deadline deadline,
                   std::function<void(int code)> end)
    : rank_(rank),
      recorder_(recorder),
      mailbox_(mailbox),
      deadline_(std::move(deadline)),
      end_(std::move(end)),
      standings_(static_cast<std::size_t>(size)) {
  prepare_stack_traces();
  thread_ = std::thread([this] { run(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    leave_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::run() {
  be_a_helper_thread("watchdog");
  auto last_look = Clock::now();
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLook, [this] { return leave_; })) {
    const auto passed = Clock::now() - last_look;
    last_look += passed;
    patience_.look(recorder_, passed);
    if (patience_.is_over(deadline_.seconds) || take_letters()) {
      lock.unlock();
      return raise_alarm();
    }
  }
}

bool Watchdog::take_letters() {
  const std::vector<Standing> letters = mailbox_.receive();
  for (const Standing& letter : letters) standings_.at(static_cast<std::size_t>(letter.rank)) = letter;
  return !letters.empty();
}

void Watchdog::raise_alarm() {
  std::thread([code = deadline_.exit_code] {
    std::this_thread::sleep_for(kWholeAlarm);
    std::_Exit(code);
  }).detach();

  standings_[static_cast<std::size_t>(rank_)] = own_standing();
  mailbox_.send_to_others(own_standing());
  std::vector<std::size_t> others(standings_.size());
  std::iota(others.begin(), others.end(), std::size_t{0});
  wait_for_letters(others, [](const Standing&) { return true; });
  std::erase_if(others, [this](std::size_t rank) { return !standings_[rank]; });

  const std::string found = finding();
  const auto file = deadline_.folder / fmt::format("rank-{}.txt", rank_);
  deadline_.tell(found, file);
  std::error_code ignored;  // what cannot be written has been said, at least
  std::filesystem::create_directories(deadline_.folder, ignored);
  std::ofstream(file, std::ios::app) << report(found) << std::flush;

  // Whoever ends first ends the others too: not before they have written theirs.
  Standing mine = own_standing();
  mine.written = 1;
  standings_[static_cast<std::size_t>(rank_)] = mine;
  mailbox_.send_to_others(mine);
  wait_for_letters(others, [](const Standing& rank) { return rank.written == 1; });
  end_(deadline_.exit_code);
}

/// Until every rank of `expected` has sent a letter that is enough, or time is up.
void Watchdog::wait_for_letters(const std::vector<std::size_t>& expected,
                                const std::function<bool(const Standing&)>& enough) {
  const auto is_enough = [&](std::size_t rank) { return standings_[rank] && enough(*standings_[rank]); };
  const auto until = Clock::now() + kAnswers;
  while (!std::all_of(expected.begin(), expected.end(), is_enough) && Clock::now() < until) {
    std::this_thread::sleep_for(kLook / 10);
    take_letters();
  }
}

std::string Watchdog::finding() const {
  if (patience_.absent() == Seconds(0)) return verdict(standings_);
  return fmt::format(
      "this rank itself did not run for {:.1f} s (stopped, or its machine stood still), and the others "
      "may have missed it; {}",
      patience_.absent().count(), verdict(standings_));
}

Standing Watchdog::own_standing() const {
  const Position position = recorder_.position();
  Standing mine;
  mine.rank = rank_;
  mine.step = position.step;
  mine.posted = position.posted;
  put(mine.doing, position.doing);
  if (position.oldest) {
    mine.waits_for = position.oldest->number;
    mine.waited = patience_.waited().count();
    put(mine.collective, position.oldest->text());
  }
  return mine;
}

std::string Watchdog::report(const std::string& found) const {
  const auto now = Flight::Clock::now();
  std::string text =
      fmt::format("{} rank {} of {}\n{}\n\nWhere the ranks stand\n", local_time(), rank_, standings_.size(), found);
  for (std::size_t i = 0; i < standings_.size(); ++i) {
    const auto& rank = standings_[i];
    text += fmt::format("  rank {}: ", i);
    if (!rank) {
      text += "no answer\n";
      continue;
    }
    text += fmt::format("{}; {} collectives posted; ", place_of(*rank), rank->posted);
    text += rank->waits_for == 0 ? "waits for none\n"
                                 : fmt::format("waits for number {} since {:.1f} s: {}\n", rank->waits_for,
                                               rank->waited, rank->collective.data());
  }
  text += fmt::format("\nThe last collectives of rank {}\n", rank_);
  for (const Flight& flight : recorder_.flights()) text += line_of(flight, now);
  return text + fmt::format("\nThe stacks of rank {}\n{}\n", rank_, stack_traces());
}

}  // namespace etude::comm
