"""The projects in this folder run in copies of their own, started by `python -m tests.downstream`."""

collect_ignore = ["projects", "support"]
