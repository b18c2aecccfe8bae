#pragma once

#include <string>

namespace etude::comm {

/// Lets the threads of this process be asked for their stacks: installs a handler for trace_signal(), once.
void prepare_stack_traces();

/// The signal that asks a thread for its stack; a thread that blocks it cannot answer.
int trace_signal();

/// The stacks of all threads of this process, as text: a function a line, demangled, with the module and the offset in
/// it, as `addr2line -Cfe MODULE OFFSET` takes it. Waits at most a second for threads that do not answer.
std::string stack_traces();

}  // namespace etude::comm
