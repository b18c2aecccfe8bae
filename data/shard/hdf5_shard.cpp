#include "data/shard/hdf5_shard.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/shard/hdf5_handle.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

std::string at(const std::filesystem::path& file, std::string_view part) {
  return fmt::format("shard {}: '{}' cannot be used", file.string(), part);
}

/// A dataset of one dimension as it stands in a file that may be damaged or foreign.
class Column {
 public:
  Column(const std::filesystem::path& path, hid_t file, const char* name)
      : where_(at(path, name)),
        dataset_(H5Dopen2(file, name, H5P_DEFAULT), H5Dclose, where_),
        type_(H5Dget_type(dataset_), H5Tclose, where_),
        space_(H5Dget_space(dataset_), H5Sclose, where_) {
    if (H5Sget_simple_extent_ndims(space_) != 1) throw Error(where_ + ": it must have one dimension");
    hsize_t size = 0;
    check_hdf5(H5Sget_simple_extent_dims(space_, &size, nullptr), where_);
    size_ = static_cast<std::size_t>(size);
    // A damaged size would otherwise become a vector of terabytes. No HDF5 filter packs more than gzip's 1032 to 1.
    const auto bytes_on_disk = static_cast<double>(std::filesystem::file_size(path));
    if (static_cast<double>(size_) * static_cast<double>(H5Tget_size(type_)) > 2000 * bytes_on_disk) {
      throw Error(
          fmt::format("{}: it claims {} values in a file of {} bytes (damaged copy?)", where_, size_, bytes_on_disk));
    }
  }

  std::size_t size() const { return size_; }

  void must_hold_integers() const {
    if (H5Tget_class(type_) != H5T_INTEGER) throw Error(where_ + ": it must hold integers");
  }

  template <typename Value>
  void read(std::size_t begin, std::span<Value> out, hid_t memory_type) const {
    if (!out.empty()) read(begin, out.size(), out.data(), memory_type);
  }

  std::vector<std::string> read_strings() const {
    if (H5Tget_class(type_) != H5T_STRING) throw Error(where_ + ": it must hold strings");
    if (size_ == 0) return {};
    return H5Tis_variable_str(type_) > 0 ? read_variable_strings() : read_fixed_strings();
  }

 private:
  void read(hsize_t start, hsize_t count, void* out, hid_t memory_type) const {
    const Hdf5Handle from(H5Scopy(space_), H5Sclose, where_);
    check_hdf5(H5Sselect_hyperslab(from, H5S_SELECT_SET, &start, nullptr, &count, nullptr), where_);
    const Hdf5Handle to(H5Screate_simple(1, &count, nullptr), H5Sclose, where_);
    check_hdf5(H5Dread(dataset_, memory_type, to, from, H5P_DEFAULT, out), where_);
  }

  std::vector<std::string> read_fixed_strings() const {
    const std::size_t width = H5Tget_size(type_);
    std::vector<char> bytes(size_ * width);
    read(0, size_, bytes.data(), type_);
    std::vector<std::string> strings(size_);
    for (std::size_t i = 0; i < size_; ++i) {
      const char* begin = bytes.data() + i * width;
      strings[i].assign(begin, std::find(begin, begin + width, '\0'));
    }
    return strings;
  }

  std::vector<std::string> read_variable_strings() const {
    std::vector<char*> pointers(size_, nullptr);
    read(0, size_, pointers.data(), type_);
    std::vector<std::string> strings;
    for (const char* text : pointers) strings.emplace_back(text != nullptr ? text : "");
    H5Dvlen_reclaim(type_, space_, H5P_DEFAULT, pointers.data());
    return strings;
  }

  std::string where_;
  Hdf5Handle dataset_;
  Hdf5Handle type_;
  Hdf5Handle space_;
  std::size_t size_ = 0;
};

std::string read_text_attribute(const std::filesystem::path& path, hid_t file, const char* name) {
  const std::string where = at(path, name);
  const Hdf5Handle attribute(H5Aopen(file, name, H5P_DEFAULT), H5Aclose, where);
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose, where);
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose, where);
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) {
    throw Error(where + ": it must be one string");
  }
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    check_hdf5(H5Aread(attribute, type, &text), where);
    std::string copy = text != nullptr ? text : "";
    H5free_memory(text);
    return copy;
  }
  const std::size_t width = H5Tget_size(type);
  if (width > 1 << 16) throw Error(where + ": it is too long");
  std::string text(width, '\0');
  check_hdf5(H5Aread(attribute, type, text.data()), where);
  return text.substr(0, text.find('\0'));
}

std::int64_t read_integer_attribute(const std::filesystem::path& path, hid_t file, const char* name) {
  const std::string where = at(path, name);
  const Hdf5Handle attribute(H5Aopen(file, name, H5P_DEFAULT), H5Aclose, where);
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose, where);
  if (H5Sget_simple_extent_npoints(space) != 1) throw Error(where + ": it must be one integer");
  std::int64_t value = 0;
  check_hdf5(H5Aread(attribute, H5T_NATIVE_INT64, &value), where);
  return value;
}

class Hdf5Shard : public StoredShard {
 public:
  struct Parts {
    Hdf5Handle file;
    std::unique_ptr<Column> tokens;
    std::vector<std::int64_t> offsets;
    ShardChecksums checksums;
  };
  Hdf5Shard(std::filesystem::path path, Parts parts) : path_(std::move(path)), parts_(std::move(parts)) {}
  ~Hdf5Shard() override {
    const Hdf5Lock lock;
    parts_.tokens.reset();
    parts_.file.reset();
  }
  Hdf5Shard(const Hdf5Shard&) = delete;
  Hdf5Shard& operator=(const Hdf5Shard&) = delete;

  std::int64_t size() const override { return static_cast<std::int64_t>(parts_.tokens->size()); }
  const std::vector<std::int64_t>& offsets() const override { return parts_.offsets; }
  const ShardChecksums& checksums() const override { return parts_.checksums; }

  void read(std::int64_t begin, std::span<TokenId> out) const override {
    check_range(path_, begin, out.size(), size());
    const Hdf5Lock lock;
    parts_.tokens->read(static_cast<std::size_t>(begin), out, H5T_NATIVE_INT32);
  }

  PieceTexts texts() const override {
    const Hdf5Lock lock;
    return {Column(path_, parts_.file, "composer").read_strings(), Column(path_, parts_.file, "title").read_strings(),
            Column(path_, parts_.file, "labels").read_strings()};
  }

 private:
  std::filesystem::path path_;
  Parts parts_;
};

void write_text_attribute(hid_t file, const char* name, const std::string& text, const std::string& where) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, where);
  check_hdf5(H5Tset_size(type, std::max<std::size_t>(text.size(), 1)), where);
  check_hdf5(H5Tset_cset(type, H5T_CSET_UTF8), where);
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose, where);
  const Hdf5Handle attribute(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, where);
  check_hdf5(H5Awrite(attribute, type, text.c_str()), where);
}

void write_integer_attribute(hid_t file, const char* name, std::int64_t value, const std::string& where) {
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose, where);
  const Hdf5Handle attribute(H5Acreate2(file, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, where);
  check_hdf5(H5Awrite(attribute, H5T_NATIVE_INT64, &value), where);
}

void write_column(hid_t file, const char* name, hid_t type, std::size_t size, const void* data,
                  const std::string& where) {
  const hsize_t extent = size;
  const Hdf5Handle space(H5Screate_simple(1, &extent, nullptr), H5Sclose, where);
  const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, where);
  check_hdf5(H5Pset_obj_track_times(properties, false), where);  // the same content, the same bytes
  const Hdf5Handle dataset(H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose, where);
  if (size > 0) check_hdf5(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), where);
}

/// Fixed width: variable-length strings lie in HDF5's global heap, the one structure that it does not checksum.
void write_strings(hid_t file, const char* name, const std::vector<std::string>& strings, const std::string& where) {
  std::size_t width = 1;
  for (const std::string& text : strings) width = std::max(width, text.size());
  std::string bytes(strings.size() * width, '\0');
  for (std::size_t i = 0; i < strings.size(); ++i) bytes.replace(i * width, strings[i].size(), strings[i]);
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, where);
  check_hdf5(H5Tset_size(type, width), where);
  check_hdf5(H5Tset_strpad(type, H5T_STR_NULLPAD), where);
  check_hdf5(H5Tset_cset(type, H5T_CSET_UTF8), where);
  write_column(file, name, type, strings.size(), bytes.data(), where);
}

hid_t stored_type(TokenType type) {
  switch (type) {
    case TokenType::kUint8:
      return H5T_STD_U8LE;
    case TokenType::kUint16:
      return H5T_STD_U16LE;
    case TokenType::kUint32:
      return H5T_STD_U32LE;
  }
  throw Error("no such token type");
}

}  // namespace

std::unique_ptr<StoredShard> open_hdf5_shard(const std::filesystem::path& path) {
  const Hdf5Lock lock;
  const std::string where =
      fmt::format("shard {} cannot be opened (truncated or damaged copy? copy the pack again)", path.string());
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, where);
  // Packs do not change once written, and many cluster file systems have no locks to give.
  check_hdf5(H5Pset_file_locking(access, false, true), where);
  Hdf5Shard::Parts parts;
  parts.file = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose, where);
  const std::int64_t version = read_integer_attribute(path, parts.file, "version");
  check_shard_version(path, version);
  parts.checksums = {read_text_attribute(path, parts.file, "vocabulary_checksum"),
                     read_text_attribute(path, parts.file, "tokens_checksum"),
                     read_text_attribute(path, parts.file, "offsets_checksum")};
  parts.tokens = std::make_unique<Column>(path, parts.file, "tokens");
  parts.tokens->must_hold_integers();
  const Column offsets(path, parts.file, "offsets");
  offsets.must_hold_integers();
  parts.offsets.resize(offsets.size());
  offsets.read(0, std::span(parts.offsets), H5T_NATIVE_INT64);
  check_offsets(path, parts.offsets, static_cast<std::int64_t>(parts.tokens->size()));
  return std::make_unique<Hdf5Shard>(path, std::move(parts));
}

void write_hdf5_shard(const std::filesystem::path& path, const ShardContent& content) {
  const Hdf5Lock lock;
  const std::string where = fmt::format("shard {} cannot be written", path.string());
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, where);
  // From version 1.8 on the format checksums its own structures, so that damage is seen instead of followed.
  check_hdf5(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18), where);
  const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, where);
  check_hdf5(H5Pset_obj_track_times(creation, false), where);
  Hdf5Handle file(H5Fcreate(path.c_str(), H5F_ACC_EXCL, creation, access), H5Fclose, where);
  write_text_attribute(file, "format", "etude-shard", where);
  write_integer_attribute(file, "version", kShardVersion, where);
  write_text_attribute(file, "vocabulary_checksum", content.checksums.vocabulary, where);
  write_text_attribute(file, "tokens_checksum", content.checksums.tokens, where);
  write_text_attribute(file, "offsets_checksum", content.checksums.offsets, where);
  const std::size_t count = content.tokens.size() / bytes_of(content.type);
  write_column(file, "tokens", stored_type(content.type), count, content.tokens.data(), where);
  write_column(file, "offsets", H5T_STD_I64LE, content.offsets.size(), content.offsets.data(), where);
  write_strings(file, "composer", content.texts.composers, where);
  write_strings(file, "title", content.texts.titles, where);
  write_strings(file, "labels", content.texts.labels, where);
  check_hdf5(H5Fflush(file, H5F_SCOPE_GLOBAL), where);  // closing alone cannot say that the disk is full
}

}  // namespace etude::data
