#!/usr/bin/env python3
"""count_trials.py FOLDER...: cells, rounds and trials of studies, "CELLS ROUNDS"; fails where a cell has not been
launched exactly once in each round, or where an answer is not right."""

import collections
import json
import sys

launches = collections.defaultdict(set)
for folder in sys.argv[1:]:
    with open(folder + "/trials.jsonl", encoding="utf-8") as lines:
        for trial in map(json.loads, lines):
            if trial["outcome"] != "right":
                sys.exit(f"{folder}: {trial['outcome']}: {trial['message']}")
            cell = json.dumps(trial["cell"], sort_keys=True)
            launches[folder, cell, trial["round"]].add(trial["launch"])
for (folder, cell, number), found in launches.items():
    if len(found) != 1:
        sys.exit(f"{folder}: {len(found)} launches in round {number} of {cell}")
cells = {cell for _, cell, _ in launches}
rounds = {number for _, _, number in launches}
for folder, cell, _ in launches:
    lacking = rounds - {number for f, c, number in launches if (f, c) == (folder, cell)}
    if lacking:
        sys.exit(f"{folder}: rounds {sorted(lacking)} are lacking of {cell}")
print(len(cells), len(rounds))
