#include "data/shard/hdf5_handle.h"

#include "framework/config/error.h"

namespace etude::data {
namespace {

std::mutex hdf5_mutex;

herr_t keep_message(unsigned, const H5E_error2_t* error, void* message) {
  *static_cast<std::string*>(message) = error->desc != nullptr ? error->desc : "";
  return 1;  // the first one visited, walking upward, is the innermost: stop there
}

}  // namespace

Hdf5Lock::Hdf5Lock() : lock_(hdf5_mutex) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // every time: builds with threads keep it per thread
}

std::string take_hdf5_error() {
  std::string message;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_message, &message);
  H5Eclear2(H5E_DEFAULT);
  return message.empty() ? "HDF5 gives no reason" : message;
}

Hdf5Handle::Hdf5Handle(hid_t id, Close close, const std::string& what) : id_(id), close_(close) {
  check_hdf5(id, what);
}

Hdf5Handle& Hdf5Handle::operator=(Hdf5Handle&& other) noexcept {
  if (this != &other) {
    reset();
    id_ = std::exchange(other.id_, -1);
    close_ = other.close_;
  }
  return *this;
}

void Hdf5Handle::reset() {
  if (id_ >= 0) close_(id_);
  id_ = -1;
}

void check_hdf5(long long result, const std::string& what) {
  if (result < 0) throw Error(what + ": " + take_hdf5_error());
}

}  // namespace etude::data
