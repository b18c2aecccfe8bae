#pragma once

#include "sweep/distribution.h"

namespace etude::sweep {

/// The description of the API, OpenAPI 3.1.
const Json& openapi();

}  // namespace etude::sweep
