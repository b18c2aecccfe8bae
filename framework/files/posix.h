#pragma once

#include <filesystem>
#include <string>

namespace etude::files {

/// A file descriptor that closes itself; not handed down to programs that are started.
class Descriptor {
 public:
  /// Opens as open(2) does. Errors, here and in close, are told of `shown` where it is given: nobody knows the name of
  /// a temporary file.
  Descriptor(const std::filesystem::path& path, int flags, unsigned mode = 0, const std::filesystem::path& shown = {});
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return descriptor_; }
  /// Closes now. Throws Error: a network disk may say only here that it is full.
  void close();

 private:
  std::filesystem::path shown_;
  int descriptor_ = -1;
};

/// Throws Error: "cannot <what> '<path>': <the system's reason>", with a hint where there is one.
[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path);

/// ".name.0123456789abcdef.<ending>" beside the path: hidden, and no one else's.
std::filesystem::path hidden_sibling(const std::filesystem::path& path, const std::string& ending);

/// What this machine calls itself; "?" where it does not say.
std::string host_name();

/// The folder that holds the path: "." for a bare name.
std::filesystem::path parent(const std::filesystem::path& path);

}  // namespace etude::files
