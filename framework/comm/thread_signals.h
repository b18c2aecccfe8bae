#pragma once

namespace etude::comm {

/// Called by a helper thread first of all: signals for the program are for its own threads. Those that report a crash
/// of this one, or ask for its stack, stay. `name` (at most 15 characters) is what debuggers and stack traces show.
void be_a_helper_thread(const char* name);

}  // namespace etude::comm
