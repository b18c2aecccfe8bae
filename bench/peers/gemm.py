"""The most that matrix products reach through LibTorch on one thread: the yardstick for training."""
import argparse

import torch

from common import Clock, report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    best = None
    for size in (1024, 2048):
        a, b = (torch.randn(size, size).to(getattr(torch, arguments.precision)) for _ in "ab")
        for _ in range(5):
            with Clock() as clock:
                a @ b
            figures = [2e-9 * size**3 / clock.wall, 2e-9 * size**3 / clock.cpu]
            best = figures if best is None else [max(pair) for pair in zip(best, figures)]
            if clock.wall > 3:  # a processor without products of this type
                break
    report(what="gemm", who="LibTorch", precision=arguments.precision, figure=best[0], cpu_figure=best[1],
           unit="GFLOP/s")


if __name__ == "__main__":
    main()
