#pragma once

#include <memory>
#include <string>

#include "framework/comm/nccl_calls.h"

namespace etude::device {

/// As CudaModule has them.
std::string new_nccl_id();
std::unique_ptr<comm::NcclCalls> connect_nccl(const std::string& id, int rank, int size, int device);

}  // namespace etude::device
