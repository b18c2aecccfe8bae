#include "cli/request.h"

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::cli {

namespace fs = std::filesystem;

launch::Request request_for(train::Experiment experiment, const fs::path& file, bool shares_files) {
  if (shares_files) {
    for (fs::path* path :
         {&experiment.data.pack, &experiment.run, &experiment.train.init_from, &experiment.train.go_on_from}) {
      if (!path->empty()) *path = fs::absolute(*path).lexically_normal();
    }
    if (!fs::exists(experiment.data.pack)) {
      throw UsageError(fmt::format("{}: there is no pack at {}; 'etude pack --input MUSIC --output {}' makes one",
                                   file.string(), experiment.data.pack.string(), experiment.data.pack.string()));
    }
  }
  return {experiment.name, experiment.run, train::to_yaml(experiment),
          experiment.train.global_batch / experiment.train.micro_batch};
}

}  // namespace etude::cli
