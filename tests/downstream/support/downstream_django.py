"""Runs inside Django's `runtests.py`: a test runner that writes each outcome to `results.jsonl`."""

import json
import unittest
from pathlib import Path
from typing import Any

import downstream_probe
from django.test.runner import DiscoverRunner

RESULTS = Path("results.jsonl").resolve()


class WritingResult(unittest.TextTestResult):
    """Writes every outcome as it comes, so that a run that is killed still tells what it knew."""

    def _write(self, test: unittest.TestCase, outcome: str) -> None:
        with RESULTS.open("a") as file:
            file.write(json.dumps([test.id(), outcome]) + "\n")

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self._write(test, "passed")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._write(test, "skipped")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self._write(test, "failed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._write(test, "skipped")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._write(test, "failed")

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._write(test, "failed")

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._write(test, "failed")


class WritingRunner(DiscoverRunner):
    """Django's own runner with that result."""

    def run_suite(self, suite: unittest.TestSuite, **kwargs: Any) -> unittest.TextTestResult:
        try:
            return super().run_suite(suite, **kwargs)
        finally:
            downstream_probe.write()

    def get_resultclass(self) -> type[unittest.TextTestResult]:
        return WritingResult
