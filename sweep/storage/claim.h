#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "framework/files/posix.h"

namespace etude::sweep {

/// "node3, process 4711": who a claim says it is.
std::string this_process();

/// A lock on a file that goes with the process, however that ends. The file stays, so that nobody locks one that was
/// just removed.
class FileClaim {
 public:
  /// Throws UsageError saying who holds `what`.
  FileClaim(const std::filesystem::path& file, const std::string& what);

 private:
  files::Descriptor descriptor_;
};

/// The file whose lock is the claim on a study of a storage.
std::filesystem::path claim_file(const std::filesystem::path& storage, long long study);

}  // namespace etude::sweep
