import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "docs" / "examples" / "demo"


def test_the_demo_shows_where_every_crossing_ran_and_loses_no_request() -> None:
    shown = subprocess.run(
        [sys.executable, "-W", "error", str(DEMO), "--requests", "20", "--at-once", "5"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=50,
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, ""), shown.stdout + shown.stderr
    ran_on = {line[:24].rstrip(): line[24:].split() for line in shown.stdout.splitlines()[2:11]}
    assert ran_on["async→sync, home thread"][:3] == ["asgikit-sensitive-1", "-", "6"]
    assert ran_on["async→sync→async"][:3] == ["asgikit-sensitive-1", "-", "4"]
    assert ran_on["  … the sync→async in it"][:4] == ["server", "server's", "loop", "4"]
    assert ran_on["    … back to its caller"][:3] == ["asgikit-sensitive-1", "-", "4"]
    assert ran_on["  … back to its caller"][:3] == ["MainThread", "-", "20"]
    assert ran_on["async→sync, in a scope"][0] == "asgikit-sensitive-2"
    assert ran_on["async→sync, in a process"][0] == "process"
    assert ran_on["sync→async, no loop yet"][:5] == ["asgikit-loop-1", "a", "fresh", "one", "2"]
    assert "20 of 20 requests answered" in shown.stdout
    assert "4 orders announced" in shown.stdout
    assert "not possible" in shown.stdout  # asgiref cannot hand a call to a process pool
    memory = {line[:22].rstrip(): line.split() for line in shown.stdout.splitlines() if line.endswith(" MB")}
    assert "64 MB arrived" in " ".join(memory["64 MB up"])
    assert "256 MB arrived" in " ".join(memory["256 MB down, streamed"])
    assert "20 answered, on 20 threads" in " ".join(memory["20 slow ones at once"])
    assert int(memory["256 MB down, streamed"][-2]) - int(memory["one slow request"][-2]) < 20
