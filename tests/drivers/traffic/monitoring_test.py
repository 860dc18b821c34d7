#!/usr/bin/env python3
"""OpenMPI's own monitoring component counts the same broadcasts of a product as Duet does.

monitoring_test.py MPIRUN DUET OMPI_INFO

pml_monitoring writes, for each communicator, what collective operations from one rank to all (O2A) sent: for a
broadcast the block times the other ranks, and one message. Summed up over the grid's rows and columns (communicators
made by splitting; in one layer, since what layers send each other are no broadcasts), the bytes are those that all
ranks receive by Duet's definition, and the messages those that they send.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77


def monitored(mpirun, duet, ranks, size):
    """Bytes and messages as OpenMPI counted them, and as Duet did, in one trial."""
    with tempfile.TemporaryDirectory(prefix="duet-monitoring-") as folder:
        prefix = str(pathlib.Path(folder) / "rank")
        done = subprocess.run(
            [mpirun, "-n", str(ranks), "--mca", "pml_monitoring_enable", "2", "--mca", "pml_monitoring_enable_output",
             "3", "--mca", "pml_monitoring_filename", prefix, duet, "run", "matmul", "--model", "mpi", "--size", size,
             "--set", "local_kernel=eigen", "--set", "layers=1", "--repeat", "1", "--warm-up", "0", "--oversubscribe", "--json", "-"],
            capture_output=True, text=True, timeout=100, check=True)
        traffic = json.loads(done.stdout)["traffic"]
        profiles = sorted(pathlib.Path(folder).glob("rank.*.prof"))
        if len(profiles) != ranks:
            print(f"OpenMPI wrote {len(profiles)} profiles for {ranks} ranks")
            sys.exit(SKIPPED)
        seen = {"bytes": 0, "messages": 0}
        for profile in profiles:
            of_grid = False
            for line in profile.read_text().splitlines():
                if line.startswith("D\t"):
                    of_grid = " SPLIT FROM " in line
                elif line.startswith("O2A\t") and of_grid:
                    count = re.fullmatch(r"O2A\t\d+\t(\d+) bytes\t(\d+) msgs sent", line)
                    seen["bytes"] += int(count[1])
                    seen["messages"] += int(count[2])
        return seen, {"bytes": traffic["received"]["bytes"], "messages": traffic["sent"]["messages"]}


def main():
    mpirun, duet, ompi_info = sys.argv[1:]
    try:
        components = subprocess.run([ompi_info], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"this MPI is not OpenMPI: {error}")
        return SKIPPED
    if "MCA pml: monitoring" not in components:
        print("this OpenMPI was built without pml_monitoring")
        return SKIPPED
    status = 0
    for ranks, size in ((2, "64"), (4, "512"), (6, "130x97x300"), (7, "31x64x97")):
        openmpi, ours = monitored(mpirun, duet, ranks, size)
        print(f"{ranks} ranks, size {size}: OpenMPI counts {openmpi}, Duet {ours}")
        if openmpi != ours or ours["bytes"] == 0:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
