#pragma once

#include <mutex>
#include <string>
#include <utility>

#include <hdf5.h>

namespace etude::data {

/// Held around every use of HDF5. Also keeps the library from printing its own errors.
class Hdf5Lock {
 public:
  Hdf5Lock();

 private:
  std::unique_lock<std::mutex> lock_;
};

/// The innermost message of HDF5's error stack, "truncated file: eof = 812, …"; empties the stack.
std::string take_hdf5_error();

/// An open HDF5 object. Made and destroyed under Hdf5Lock.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Hdf5Handle() = default;
  /// Throws Error "<what>: <HDF5's reason>" when the id says that HDF5 failed.
  Hdf5Handle(hid_t id, Close close, const std::string& what);
  ~Hdf5Handle() { reset(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept;
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor): stands for the id in calls to HDF5
  void reset();

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

/// Throws Error "<what>: <HDF5's reason>" when a call's result says that it failed.
void check_hdf5(long long result, const std::string& what);

}  // namespace etude::data
