"""The suites of the projects that stand on asgiref, run on asgiref and on the drop-in: `python -m tests.downstream`."""
