#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace etude::files {

/// The whole file. Throws Error naming the file.
std::string read(const std::filesystem::path& file);

/// Writes beside `file` under a temporary name, fsyncs, renames, fsyncs the folder: readers see the old content or the
/// new, never a part. Throws Error naming the file (full disk, read-only folder) and leaves no temporary file behind.
void write_atomically(const std::filesystem::path& file, std::string_view content);
/// The same for what its owner alone may read.
void write_secret(const std::filesystem::path& file, std::string_view content);

/// Flushes a file or folder to disk. Throws Error.
void sync(const std::filesystem::path& path);

/// A folder that appears whole: `fill` writes into a temporary sibling, which is then synced (every file in it) and
/// renamed to `folder`. On any exception the temporary is removed and nothing appears. `folder` must not exist yet,
/// unless `replace`, when an old one is moved aside first and removed last.
void write_folder_atomically(const std::filesystem::path& folder, bool replace,
                             const std::function<void(const std::filesystem::path& temporary)>& fill);

/// XXH3, 128 bits, as 32 hexadecimal digits.
std::string hash(std::span<const std::byte> data);
std::string hash(std::string_view data);
/// The same of a file's content, read in blocks.
std::string hash_file(const std::filesystem::path& file);

}  // namespace etude::files
