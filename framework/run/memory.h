#pragma once

namespace etude::run {

/// Makes this process keep the memory it frees instead of giving it back to the system. A training step frees and takes
/// the same tens of megabytes again, and fresh pages would cost it some percent of its time. Call it before threads
/// start; where the C library is not glibc it does nothing.
void keep_freed_memory();

}  // namespace etude::run
