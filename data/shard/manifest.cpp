#include "data/shard/manifest.h"

#include <numeric>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::data {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kFormat = "etude-pack";

ordered_json to_json(const Piece& piece) {
  return {{"id", piece.id},
          {"file", piece.file},
          {"content", piece.content},
          {"title", piece.title},
          {"composer", piece.composer},
          {"labels", piece.labels},
          {"tokens", piece.tokens},
          {"notes", piece.notes},
          {"seconds", piece.seconds},
          {"pitch_low", piece.pitch_low},
          {"pitch_high", piece.pitch_high},
          {"transposed", piece.transposed}};
}

Piece piece_from(const json& object) {
  Piece piece;
  object.at("id").get_to(piece.id);
  object.at("file").get_to(piece.file);
  object.at("content").get_to(piece.content);
  object.at("title").get_to(piece.title);
  object.at("composer").get_to(piece.composer);
  object.at("labels").get_to(piece.labels);
  object.at("tokens").get_to(piece.tokens);
  object.at("notes").get_to(piece.notes);
  object.at("seconds").get_to(piece.seconds);
  object.at("pitch_low").get_to(piece.pitch_low);
  object.at("pitch_high").get_to(piece.pitch_high);
  object.at("transposed").get_to(piece.transposed);
  if (piece.tokens < 0 || piece.notes < 0) throw Error(fmt::format("piece {} has a negative length", piece.file));
  return piece;
}

SkipKind skip_kind_from(const std::string& name) {
  for (const SkipKind kind : kSkipKinds) {
    if (to_string(kind) == name) return kind;
  }
  throw Error(fmt::format("'{}' is no reason to leave a piece out", name));
}

/// A JSON array with one element a line, for those that grow long.
template <typename Elements>
std::string lines(const Elements& elements) {
  std::string text = "[";
  for (const auto& element : elements) text += (text.size() > 1 ? ",\n  " : "\n  ") + element.dump();
  return text + (text.size() > 1 ? "\n ]" : "]");
}

/// Everything but the checksum, as members of an object in the order in which they are written.
std::vector<std::pair<std::string, std::string>> members_of(const Manifest& manifest) {
  std::vector<ordered_json> splits, pieces, skipped;
  for (const Split which : kSplits) {
    const ManifestSplit& split = manifest.split(which);
    splits.push_back({{"name", to_string(which)},
                      {"file", split.file},
                      {"pieces", split.pieces.size()},
                      {"tokens", split.tokens()},
                      {"notes", split.notes()},
                      {"seconds", split.seconds()},
                      {"tokens_checksum", split.checksums.tokens},
                      {"offsets_checksum", split.checksums.offsets}});
    for (const Piece& piece : split.pieces) {
      ordered_json object{{"split", to_string(which)}};
      object.update(to_json(piece));
      pieces.push_back(std::move(object));
    }
  }
  for (const Skipped& one : manifest.skipped) {
    skipped.push_back({{"file", one.file}, {"kind", to_string(one.kind)}, {"reason", one.reason}});
  }
  const auto& checksums = manifest.splits.front().checksums;
  return {{"format", json(kFormat).dump()},
          {"version", json(kPackVersion).dump()},
          {"made", manifest.made.dump()},
          {"tokenizer", manifest.tokenizer.dump()},
          {"vocabulary", json(manifest.vocabulary).dump()},
          {"vocabulary_checksum", json(checksums.vocabulary).dump()},
          {"splits", lines(splits)},
          {"pieces", lines(pieces)},
          {"files", json(manifest.files).dump()},
          {"skipped", lines(skipped)}};
}

/// Of the document without its "checksum", its keys sorted and without spaces.
std::string checksum_of(json document) {
  document.erase("checksum");
  return files::hash(document.dump());
}

Manifest from_json(const json& document) {
  if (!document.is_object() || document.value("format", "") != kFormat)
    throw Error("it is not the pack.json of a pack");
  if (const auto version = document.at("version").get<std::int64_t>(); version > kPackVersion) {
    throw Error(
        fmt::format("written in version {} of the format, this program reads up to {} (use a newer etude, or "
                    "pack the music again)",
                    version, kPackVersion));
  }
  Manifest manifest;
  manifest.made = document.at("made");
  manifest.tokenizer = document.at("tokenizer");
  document.at("vocabulary").get_to(manifest.vocabulary);
  const json& splits = document.at("splits");
  if (splits.size() != kSplits.size()) throw Error("'splits' must be train, validation and test");
  for (const Split which : kSplits) {
    const json& entry = splits.at(static_cast<std::size_t>(which));
    if (entry.at("name") != to_string(which)) throw Error("'splits' must be train, validation and test, in this order");
    ManifestSplit& split = manifest.split(which);
    entry.at("file").get_to(split.file);
    // The name comes from outside and is opened: it must not lead out of the folder.
    if (split.file.empty() || std::filesystem::path(split.file).filename() != split.file) {
      throw Error(fmt::format("'{}' cannot be the name of a shard", split.file));
    }
    entry.at("tokens_checksum").get_to(split.checksums.tokens);
    entry.at("offsets_checksum").get_to(split.checksums.offsets);
    document.at("vocabulary_checksum").get_to(split.checksums.vocabulary);
  }
  for (const json& entry : document.at("pieces")) {
    manifest.split(parse_split(entry.at("split").get<std::string>())).pieces.push_back(piece_from(entry));
  }
  document.at("files").get_to(manifest.files);
  for (const json& entry : document.at("skipped")) {
    manifest.skipped.push_back({entry.at("file").get<std::string>(), entry.at("reason").get<std::string>(),
                                skip_kind_from(entry.at("kind").get<std::string>())});
  }
  for (const Split which : kSplits) {
    const ManifestSplit& split = manifest.split(which);
    const json& entry = splits.at(static_cast<std::size_t>(which));
    if (entry.at("pieces") != split.pieces.size() || entry.at("tokens") != split.tokens()) {
      throw Error(fmt::format("its {} pieces of '{}' hold {} tokens, but 'splits' says {} and {}", split.pieces.size(),
                              to_string(which), split.tokens(), entry.at("pieces").dump(), entry.at("tokens").dump()));
    }
  }
  manifest.untouched = document.value("checksum", "") == checksum_of(document);
  return manifest;
}

}  // namespace

std::string to_string(SkipKind kind) {
  switch (kind) {
    case SkipKind::kUnreadable:
      return "unreadable";
    case SkipKind::kDuplicate:
      return "duplicate";
    case SkipKind::kShort:
      return "short";
  }
  throw Error("no such reason to leave a piece out");
}

std::int64_t ManifestSplit::tokens() const {
  return std::accumulate(pieces.begin(), pieces.end(), std::int64_t{0},
                         [](std::int64_t sum, const Piece& piece) { return sum + piece.tokens; });
}

std::int64_t ManifestSplit::notes() const {
  return std::accumulate(pieces.begin(), pieces.end(), std::int64_t{0},
                         [](std::int64_t sum, const Piece& piece) { return sum + piece.notes; });
}

double ManifestSplit::seconds() const {
  return std::accumulate(pieces.begin(), pieces.end(), 0.0,
                         [](double sum, const Piece& piece) { return sum + piece.seconds; });
}

std::string to_text(const Manifest& manifest) {
  std::string body;
  for (const auto& [key, value] : members_of(manifest)) body += fmt::format(" {}: {},\n", json(key).dump(), value);
  const std::string checksum = checksum_of(json::parse("{" + body + "\"checksum\": null}"));
  return fmt::format("{{\n{} \"checksum\": \"{}\"\n}}\n", body, checksum);
}

Manifest read_manifest(const std::filesystem::path& file) {
  try {
    return from_json(json::parse(files::read(file)));
  } catch (const json::exception& error) {
    throw Error(fmt::format("{}: damaged or truncated ({}); copy the pack again, or pack the music again",
                            file.string(), error.what()));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", file.string(), error.what()));
  }
}

bool is_pack(const std::filesystem::path& folder) {
  const auto manifest = folder / kManifestName;
  return std::filesystem::is_regular_file(manifest) &&
         files::read(manifest).find(fmt::format("\"{}\"", kFormat)) != std::string::npos;
}

}  // namespace etude::data
