#include "tests/framework/track/fuzz_mlflow.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "framework/track/mlflow.h"
#include "tests/support/damage.h"
#include "tests/support/tcp.h"

namespace etude::testing {
namespace {

/// A server on this machine that gives whoever asks the next of its answers, whatever was asked, and hangs up.
class Babbler {
 public:
  Babbler() : thread_([this](std::stop_token stop) { serve(std::move(stop)); }) {}
  Babbler(const Babbler&) = delete;
  Babbler& operator=(const Babbler&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_.number()); }
  /// While nobody asks.
  void answer_with(std::vector<std::string> answers) {
    answers_ = std::move(answers);
    next_ = 0;
  }

 private:
  void serve(std::stop_token stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{port_.descriptor(), POLLIN, 0};
      if (::poll(&waiting, 1, 50) <= 0) continue;
      const int connection = ::accept4(port_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      read_question(connection);
      const std::size_t turn = next_++;
      const std::string answer = turn < answers_.size() ? answers_[turn] : "";
      [[maybe_unused]] const auto sent = ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(connection);
    }
  }

  static void read_question(int connection) {
    std::string question;
    for (char block[4096];;) {
      const auto head = question.find("\r\n\r\n");
      if (head != question.npos) {
        const auto length = question.find("Content-Length: ");
        if (length == question.npos || question.size() >= head + 4 + std::stoul(question.substr(length + 16))) return;
      }
      const ssize_t count = ::recv(connection, block, sizeof block, 0);
      if (count <= 0) return;
      question.append(block, static_cast<std::size_t>(count));
    }
  }

  const Port port_{INADDR_LOOPBACK};
  std::vector<std::string> answers_;
  std::atomic<std::size_t> next_ = 0;
  std::jthread thread_;  // the first to end
};

}  // namespace

std::string with_head(const std::string& body, int status) {
  return "HTTP/1.1 " + std::to_string(status) +
         " OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::vector<std::string> good_answers() {
  return {with_head(R"({"error_code":"RESOURCE_DOES_NOT_EXIST","message":"No such experiment"})", 404),
          with_head(R"({"experiment_id":"7"})"),
          with_head(R"({"runs":[{"info":{"run_id":"0a1b","lifecycle_stage":"active"},"data":{"metrics":[{"key":)"
                    R"("train/loss","value":2.5,"timestamp":1700000000000,"step":10}],"params":[{"key":"train.lr",)"
                    R"("value":"0.1"}]}}]})"),
          with_head("{}"),
          with_head("{}"),
          with_head("{}"),
          with_head("{}"),
          with_head("{}"),
          with_head("{}"),
          with_head("{}")};
}

std::string joined(const std::vector<std::string>& answers) {
  std::string input;
  for (const std::string& answer : answers) input.append(answer).append(kBetween);
  return input;
}

}  // namespace etude::testing

/// Whatever a tracking server answers, one question after the other: a run is told to it, or it is Away or has Refused,
/// which training takes calmly. Nothing else is thrown, and nothing goes on for ever.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etude;
  static testing::Babbler server;
  static const testing::TemporaryFolder folder;
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> answers;
  for (std::size_t begin = 0; begin < input.size();) {
    const std::size_t end = std::min(input.find(testing::kBetween, begin), input.size());
    answers.push_back(input.substr(begin, end - begin));
    begin = end + testing::kBetween.size();
  }
  server.answer_with(std::move(answers));

  std::filesystem::remove(folder.path() / "track.json");
  log::RunFacts facts;
  facts.name = "fuzz";
  facts.folder = folder.path();
  facts.metrics = folder.path() / "metrics.jsonl";
  facts.settings = {{"train.lr", "0.1"}, {"seed", "1"}};
  facts.circumstances = {{"host", "here"}};
  track::Mlflow mlflow({.url = server.url(), .connect_seconds = 1, .answer_seconds = 1}, "etude",
                       std::make_shared<track::Card>(folder.path() / "track.json"));
  const auto calmly = [](const auto& call) {
    try {
      call();
      return true;
    } catch (const track::Away& error) {
      testing::require(std::string(error.what()).find("127.0.0.1") != std::string::npos, "who is away is named");
    } catch (const track::Refused& error) {
      testing::require(std::string(error.what()).find("127.0.0.1") != std::string::npos, "who refuses is named");
    }
    return false;
  };
  if (!calmly([&] { mlflow.begin(facts); })) return 0;
  calmly([&] { mlflow.tell({{track::Message::Kind::kStep, {20, 1.7e9, {{"loss", 2.25}}}}}); });
  calmly([&] { mlflow.end(log::State::kFinished, 1.7e9); });
  return 0;
}
