"""`python -m tests.architecture.import_cost`: what importing asgikit costs, beside what asyncio costs.

Fresh interpreters, by turns, medians: a figure to look at, and no test, for a busy machine changes it.
"""

import statistics
import subprocess
import sys

ROUNDS = 21
MODULES = ("asyncio", "asgikit")


def cost(module: str) -> float:
    """Return the seconds that importing `module` takes a fresh interpreter."""
    source = f"import time; begin = time.perf_counter(); import {module}; print(time.perf_counter() - begin)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=50)
    return float(done.stdout)


def main() -> int:
    """Print the medians and their ratio; the status is 1 when asgikit costs more than twice what asyncio costs."""
    rounds = [[cost(module) for module in MODULES] for _ in range(ROUNDS)]
    asyncio, asgikit = map(statistics.median, zip(*rounds, strict=True))
    print(f"import asyncio {asyncio * 1000:.1f} ms, import asgikit {asgikit * 1000:.1f} ms: {asgikit / asyncio:.2f} x")
    return 1 if asgikit > 2 * asyncio else 0


if __name__ == "__main__":
    sys.exit(main())
