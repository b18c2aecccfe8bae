#include "launch/engine.h"
#include "launch/kubernetes.h"
#include "launch/local.h"
#include "launch/skypilot.h"
#include "launch/slurm.h"

namespace etude::launch {

const std::vector<EngineKind>& engine_kinds() {
  static const std::vector<EngineKind> kinds{
      {"local", make_local_engine},
      {"slurm", make_slurm_engine},
      {"kubernetes", make_kubernetes_engine},
      {"skypilot", make_skypilot_engine},
  };
  return kinds;
}

}  // namespace etude::launch
