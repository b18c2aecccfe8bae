"""MidiTok's REMI over every .mid of a folder, one file after another; the ids go into one NumPy file."""
import argparse
import json
import pathlib
import resource
import time

import miditok
import numpy


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    arguments = parser.parse_args()

    wall, cpu = time.perf_counter(), time.process_time()
    tokenizer = miditok.REMI()
    files = sorted(arguments.folder.rglob("*.mid"))
    ids = []
    for file in files:
        for track in tokenizer(file):
            ids += track.ids
    numpy.save(arguments.output, numpy.array(ids, dtype=numpy.int32))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"what": "pack", "who": "MidiTok", "files": len(files), "tokens": len(ids),
                      "figure": len(files) / wall, "cpu_figure": len(files) / cpu, "unit": "files/s",
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
