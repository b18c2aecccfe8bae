#include "render/audio.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>
#include <sndfile.h>

#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::render {
namespace {

/// A file in memory, as libsndfile writes it.
struct Memory {
  std::string bytes;
  sf_count_t at = 0;
};

sf_count_t length(void* data) { return static_cast<sf_count_t>(static_cast<Memory*>(data)->bytes.size()); }

sf_count_t seek(sf_count_t offset, int whence, void* data) {
  auto& memory = *static_cast<Memory*>(data);
  const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory.at : length(data);
  return memory.at = from + offset;
}

sf_count_t read(void* to, sf_count_t count, void* data) {
  auto& memory = *static_cast<Memory*>(data);
  const sf_count_t left = std::clamp<sf_count_t>(length(data) - memory.at, 0, count);
  std::memcpy(to, memory.bytes.data() + memory.at, static_cast<std::size_t>(left));
  memory.at += left;
  return left;
}

sf_count_t write(const void* from, sf_count_t count, void* data) {
  auto& memory = *static_cast<Memory*>(data);
  const auto end = static_cast<std::size_t>(memory.at + count);
  if (memory.bytes.size() < end) memory.bytes.resize(end);
  std::memcpy(memory.bytes.data() + memory.at, from, static_cast<std::size_t>(count));
  memory.at += count;
  return count;
}

sf_count_t tell(void* data) { return static_cast<Memory*>(data)->at; }

}  // namespace

std::string encode(const Audio& audio, AudioFormat format) {
  std::vector<std::int16_t> samples(audio.samples.size());
  std::transform(audio.samples.begin(), audio.samples.end(), samples.begin(), [](float sample) {
    return static_cast<std::int16_t>(std::lround(std::clamp(sample, -1.0F, 1.0F) * 32767.0F));
  });
  SF_INFO info{};
  info.samplerate = audio.rate;
  info.channels = 2;
  info.format = SF_FORMAT_PCM_16 | (format == AudioFormat::kFlac ? SF_FORMAT_FLAC : SF_FORMAT_WAV);
  SF_VIRTUAL_IO calls{length, seek, read, write, tell};
  Memory memory;
  SNDFILE* file = sf_open_virtual(&calls, SFM_WRITE, &info, &memory);
  if (file == nullptr) throw Error(fmt::format("sound cannot be encoded: {}", sf_strerror(nullptr)));
  const auto count = static_cast<sf_count_t>(samples.size());
  const bool written = sf_write_short(file, samples.data(), count) == count;
  const std::string reason = sf_strerror(file);
  if (sf_close(file) != 0 || !written) throw Error(fmt::format("sound cannot be encoded: {}", reason));
  return std::move(memory.bytes);
}

void write_audio(const std::filesystem::path& file, const Audio& audio) {
  const std::string ending = file.extension().string();
  if (ending != ".wav" && ending != ".flac") {
    throw UsageError(fmt::format("{}: sound is written to .wav or .flac", file.string()));
  }
  files::write_atomically(file, encode(audio, ending == ".wav" ? AudioFormat::kWav : AudioFormat::kFlac));
}

}  // namespace etude::render
