#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/shard/pack.h"
#include "framework/comm/communicator.h"

namespace etude::cli {

struct OpenedPack {
  data::Pack pack;
  std::string remark;                 ///< on rank 0, what staging did; empty where nothing was asked for
  std::vector<std::string> warnings;  ///< on rank 0, of copies that had to be made anew
};

/// Opens a pack, on every rank. With a folder `stage` it is read from a copy there, on each node's own disk, that one
/// rank of the node makes, or finds made. To be called before collectives are watched: ranks wait as long as it takes.
OpenedPack open_pack(comm::Communicator& communicator, const std::filesystem::path& pack,
                     const std::filesystem::path& stage);

}  // namespace etude::cli
