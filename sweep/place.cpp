#include "sweep/place.h"

#include <cstdlib>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "sweep/distribution.h"

namespace etude::sweep {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

ClientOptions connection_to(const Place& place) {
  ClientOptions options;
  options.url = place.url;
  options.token = place.token;
  options.certificate = place.certificate;
  return options;
}

void save(const Place& place, const std::filesystem::path& file) {
  const Json json{{"url", place.url}, {"token", place.token}, {"certificate", place.certificate.string()}};
  files::write_secret(file, json.dump(2) + "\n");
}

Place find_controller(const std::string& where) {
  if (where.starts_with("http://") || where.starts_with("https://")) {
    return {where, variable("ETUDE_SWEEP_TOKEN"), variable("ETUDE_SWEEP_CERTIFICATE")};
  }
  if (!std::filesystem::exists(where)) {
    throw Error(fmt::format("{}: there is no controller; 'etude sweep run' or 'serve' starts one", where));
  }
  try {
    const Json json = Json::parse(files::read(where));
    return {json.at("url").get<std::string>(), json.at("token").get<std::string>(),
            json.at("certificate").get<std::string>()};
  } catch (const Json::exception& error) {
    throw Error(fmt::format("{}: is damaged ({}); the controller writes it anew when it starts", where, error.what()));
  }
}

}  // namespace etude::sweep
