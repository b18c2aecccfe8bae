#include "launch/engine.h"
#include "launch/local.h"

namespace etude::launch {

const std::vector<EngineKind>& engine_kinds() {
  static const std::vector<EngineKind> kinds{
      {"local", make_local_engine},
  };
  return kinds;
}

}  // namespace etude::launch
