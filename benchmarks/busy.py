"""Does a right answer pass on a busy machine? The solutions are checked beside busy loops.

`python benchmarks/busy.py [LOOPS]`; eight loops by default. A check may take two minutes of
processor time, and fifteen minutes by the clock.
"""

import json
import os
import subprocess
import sys
import time

from minigpt_challenge.coach.course.curriculum import TASKS


def main(number: int) -> None:
    """Check each solution beside `number` loops; print verdict, seconds and load."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        for task in TASKS:
            start = time.perf_counter()
            command = ["check", str(task.number), "--solutions", "--json"]
            done = subprocess.run(
                [sys.executable, "-m", "minigpt_challenge", *command], capture_output=True
            )
            seconds, report = time.perf_counter() - start, json.loads(done.stdout)
            passed = sum(check["verdict"] == "passed" for check in report["checks"])
            print(
                f"task {task.number}: {report['verdict']}, {passed} of {len(report['checks'])}, "
                f"{seconds:.0f} s, load {os.getloadavg()[0]:.0f}",
                flush=True,
            )
    finally:
        for loop in loops:
            loop.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
