#include "sweep/storage/network_disk.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <sys/vfs.h>

#include "framework/files/posix.h"

namespace etude::sweep {

bool is_network_disk(long type) {
  // statfs(2) and linux/magic.h; Lustre, GPFS, BeeGFS and PanFS from their own headers.
  constexpr std::array<std::uint32_t, 16> kShared{
      0x6969,      // NFS
      0x517b,      // SMB
      0xff534d42,  // CIFS
      0xfe534d42,  // SMB 2
      0x5346414f,  // AFS
      0x6b414653,  // kAFS
      0x73757245,  // Coda
      0x00c36400,  // Ceph
      0x65735546,  // FUSE: sshfs, GlusterFS, object stores
      0x01021997,  // 9P
      0x7461636f,  // OCFS2
      0x01161970,  // GFS2
      0x0bd00bd0,  // Lustre
      0x47504653,  // GPFS
      0x19830326,  // BeeGFS
      0xaad7aaea,  // PanFS
  };
  return std::find(kShared.begin(), kShared.end(), static_cast<std::uint32_t>(type)) != kShared.end();
}

bool is_network_disk(const std::filesystem::path& file) {
  struct statfs about {};
  return statfs(files::parent(file).c_str(), &about) == 0 && is_network_disk(static_cast<long>(about.f_type));
}

}  // namespace etude::sweep
