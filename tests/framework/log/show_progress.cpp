// Shows a bar and a message on stderr, for the tests to start under mpirun.
#include <cstdlib>

#include "framework/log/console.h"

int main() {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  const bool first = rank == nullptr || *rank == '0';
  etude::log::Progress progress("train", 10, first ? stderr : nullptr);
  progress.update(0, "loss 6.20");
  progress.message("checkpoint");
  progress.update(10, "loss 3.21");
  progress.finish("done");
}
