#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sweep/server/api.h"
#include "tests/sweep/stand_in_desk.h"

/// Whatever the method, address and body: an answer in JSON, with a status that is in the manual. The first line is the
/// method and the path, the rest the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etude::sweep;
  static testing::StandInDesk desk;
  static Api api(desk, {});
  {  // what is asked for again and again shall not fill the memory
    const std::lock_guard lock(desk.mutex);
    desk.over.clear();
    desk.asked.clear();
    desk.trials.clear();
    desk.stints.clear();
    desk.revisions.clear();
    for (int i = 0; i < 3; ++i) {
      Trial trial;
      trial.number = i;
      desk.add(trial, {});
    }
  }
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  const std::string first = text.substr(0, line);
  const auto space = first.find(' ');
  if (space == std::string::npos) return 0;
  const std::string body = line == std::string::npos ? "" : text.substr(line + 1);
  const Reply reply = api.answer(first.substr(0, space), first.substr(space + 1), {}, body);
  const Json json = Json::parse(reply.body, nullptr, false);
  if (!json.is_object()) std::abort();
  if (reply.status == 200) return 0;
  const bool known =
      reply.status == 400 || reply.status == 404 || reply.status == 405 || reply.status == 409 || reply.status == 422;
  if (!known || !json.contains("error")) std::abort();
  return 0;
}
