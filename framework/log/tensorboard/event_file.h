#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "framework/files/posix.h"
#include "framework/log/tensorboard/message.h"

namespace etude::tensorboard {

/// A record as TensorFlow frames it (TFRecord): its length, that length's CRC, the bytes, their CRC; numbers
/// little-endian, CRCs masked (rotated right by 15 bits, plus 0xa282ead8).
std::string framed(std::string_view bytes);

/// One session's events.out.tfevents.… in a folder that TensorBoard reads. TensorBoard reads a folder's files in the
/// order of their names, so each is named later than those that lie there, whatever the clock says.
class EventFile {
 public:
  /// Makes folder and file. Where earlier sessions have left theirs, it says first of all that this one goes on after
  /// `done` steps: what they tell of later ones then no longer counts ("SessionLog START"). Throws Error naming the
  /// file.
  EventFile(const std::filesystem::path& folder, std::int64_t done, double time);

  /// Notes a Summary for the next flush().
  void add(std::int64_t step, double time, const Message& summary);
  /// Appends all that was noted, in one write(2). A reader sees whole events, but for the last one of a process that
  /// was killed. Throws Error naming the file; what did not fit is taken back, so that the file stays readable.
  void flush();

 private:
  std::filesystem::path path_;
  std::optional<files::Descriptor> file_;
  std::string pending_;
};

}  // namespace etude::tensorboard
