#include "framework/run/memory.h"

#include <cstdlib>  // says whether the library is glibc

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace etude::run {

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLargest = 32 << 20;        // the most that glibc takes for the size from which on mmap is asked
  mallopt(M_MMAP_THRESHOLD, kLargest);      // below it, blocks come from heaps
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);  // that do not shrink
  mallopt(M_ARENA_MAX, 1);                  // and are one, so that what one thread frees serves another
#endif
}

}  // namespace etude::run
