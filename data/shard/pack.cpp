#include "data/shard/pack.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/shard/checksum.h"
#include "data/shard/pack_state.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::data {
namespace {

void check_vocabulary(const std::filesystem::path& manifest_file, const Manifest& manifest,
                      const Tokenizer& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  const std::string checksum = vocabulary_checksum(vocabulary);
  const std::string& stated = manifest.splits.front().checksums.vocabulary;
  if (manifest.vocabulary != vocabulary.tokens() || checksum != stated) {
    throw Error(
        fmt::format("{}: its vocabulary ({} tokens) is not the one of tokenizer '{}' in this program ({} tokens): "
                    "pack the music again with this program",
                    manifest_file.string(), manifest.vocabulary.size(), tokenizer.name(), vocabulary.size()));
  }
}

/// That a shard belongs to this pack and its pieces are as long as pack.json says.
void check_shard(const std::filesystem::path& file, const StoredShard& shard, const ManifestSplit& split) {
  const auto differ = [&](const char* what) {
    throw Error(fmt::format("shard {}: its {} is not the one in {} (a shard of another pack? copy the whole folder)",
                            file.string(), what, kManifestName));
  };
  if (shard.checksums().vocabulary != split.checksums.vocabulary) differ("vocabulary");
  if (shard.checksums().tokens != split.checksums.tokens) differ("tokens_checksum");
  if (shard.checksums().offsets != split.checksums.offsets) differ("offsets_checksum");
  const auto& offsets = shard.offsets();
  if (offsets.size() != split.pieces.size() + 1) {
    throw Error(fmt::format("shard {}: 'offsets' has {} values, but {} tells of {} pieces", file.string(),
                            offsets.size(), kManifestName, split.pieces.size()));
  }
  for (std::size_t i = 0; i < split.pieces.size(); ++i) {
    if (offsets[i + 1] - offsets[i] != split.pieces[i].tokens) {
      throw Error(fmt::format("shard {}: piece {} ({}) has {} tokens, but {} in {}", file.string(), i,
                              split.pieces[i].file, offsets[i + 1] - offsets[i], split.pieces[i].tokens,
                              kManifestName));
    }
  }
}

void verify_tokens(const std::filesystem::path& file, const StoredShard& shard, const ManifestSplit& split,
                   const Vocabulary& vocabulary) {
  constexpr std::int64_t kBlock = 1 << 20;
  std::vector<TokenId> block(static_cast<std::size_t>(std::min(kBlock, shard.size())));
  Checksum checksum;
  for (std::int64_t begin = 0; begin < shard.size(); begin += kBlock) {
    const auto count = static_cast<std::size_t>(std::min(kBlock, shard.size() - begin));
    const std::span<TokenId> tokens = std::span(block).first(count);
    read_checked(file, shard, begin, tokens, vocabulary);
    checksum.add(narrowed(tokens, token_type_for(vocabulary.size())));
  }
  if (checksum.digits() != split.checksums.tokens) {
    throw Error(fmt::format("shard {}: 'tokens' has checksum {}, but {} in {} (damaged copy? copy the pack again)",
                            file.string(), checksum.digits(), split.checksums.tokens, kManifestName));
  }
}

void verify_texts(const std::filesystem::path& file, const StoredShard& shard, const ManifestSplit& split) {
  PieceTexts expected;
  for (const Piece& piece : split.pieces) expected.add(piece);
  const PieceTexts texts = shard.texts();
  const auto compare = [&](const char* what, const std::vector<std::string>& found,
                           const std::vector<std::string>& wanted) {
    if (found == wanted) return;
    throw Error(fmt::format("shard {}: '{}' is not what {} says of its pieces (damaged copy? copy the pack again)",
                            file.string(), what, kManifestName));
  };
  compare("composer", texts.composers, expected.composers);
  compare("title", texts.titles, expected.titles);
  compare("labels", texts.labels, expected.labels);
}

}  // namespace

std::string to_string(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
  }
  throw Error("no such split");
}

Split parse_split(const std::string& name) {
  for (const Split split : kSplits) {
    if (to_string(split) == name) return split;
  }
  throw UsageError(fmt::format("'{}' is no split; there are train, validation and test", name));
}

void read_checked(const std::filesystem::path& file, const StoredShard& shard, std::int64_t begin,
                  std::span<TokenId> out, const Vocabulary& vocabulary) {
  shard.read(begin, out);
  const auto bad = std::ranges::find_if(out, [&](TokenId token) { return token < 0 || token >= vocabulary.size(); });
  if (bad != out.end()) {
    throw Error(
        fmt::format("shard {}: token {} is {}, but the vocabulary has {} (damaged copy? run 'etude inspect "
                    "--verify')",
                    file.string(), begin + (bad - out.begin()), *bad, vocabulary.size()));
  }
}

Pack::Pack(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pack::Pack(Pack&&) noexcept = default;
Pack& Pack::operator=(Pack&&) noexcept = default;
Pack::~Pack() = default;

Pack Pack::open(const std::filesystem::path& folder) {
  const auto manifest_file = folder / kManifestName;
  if (!std::filesystem::is_regular_file(manifest_file)) {
    throw UsageError(fmt::format("{}: no pack ({} is not there); 'etude pack --input MUSIC --output {}' makes one",
                                 folder.string(), kManifestName, folder.string()));
  }
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->manifest = read_manifest(manifest_file);
  state->tokenizer = make_tokenizer(state->manifest.tokenizer, manifest_file.string());
  check_vocabulary(manifest_file, state->manifest, *state->tokenizer);
  std::string checksums = state->manifest.splits.front().checksums.vocabulary;
  for (const Split which : kSplits) {
    const ManifestSplit& split = state->manifest.split(which);
    const auto file = folder / split.file;
    auto shard = open_shard(file);
    check_shard(file, *shard, split);
    state->shards[static_cast<std::size_t>(which)] = std::move(shard);
    checksums += split.checksums.tokens + split.checksums.offsets;
  }
  state->hash = files::hash(checksums);
  return Pack(std::move(state));
}

const std::filesystem::path& Pack::folder() const { return state_->folder; }
const Tokenizer& Pack::tokenizer() const { return *state_->tokenizer; }
const std::string& Pack::hash() const { return state_->hash; }
const std::vector<Piece>& Pack::pieces(Split split) const { return state_->manifest.split(split).pieces; }

void Pack::read(Split split, std::int64_t piece, std::int64_t begin, std::span<TokenId> out) const {
  const StoredShard& shard = state_->shard(split);
  const auto& offsets = shard.offsets();
  const auto file = state_->folder / state_->manifest.split(split).file;
  if (piece < 0 || piece >= static_cast<std::int64_t>(offsets.size()) - 1) {
    throw Error(
        fmt::format("shard {}: piece {} was asked for, but it has {}", file.string(), piece, offsets.size() - 1));
  }
  const auto index = static_cast<std::size_t>(piece);
  check_range(file, begin, out.size(), offsets[index + 1] - offsets[index]);
  read_checked(file, shard, offsets[index] + begin, out, vocabulary());
}

void Pack::verify() const {
  for (const Split which : kSplits) {
    const ManifestSplit& split = state_->manifest.split(which);
    const auto file = state_->folder / split.file;
    const StoredShard& shard = state_->shard(which);
    if (offsets_checksum(shard.offsets()) != split.checksums.offsets) {
      throw Error(
          fmt::format("shard {}: 'offsets' has another checksum than {} says (damaged copy? copy the pack again)",
                      file.string(), kManifestName));
    }
    verify_tokens(file, shard, split, vocabulary());
    verify_texts(file, shard, split);
  }
  if (!state_->manifest.untouched) {
    throw Error(
        fmt::format("{}: it was changed since it was written: its checksum does not fit (damaged copy? copy the "
                    "pack again)",
                    (state_->folder / kManifestName).string()));
  }
}

}  // namespace etude::data
