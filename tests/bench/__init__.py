"""Measurements: shown by `make bench`, never judged by a timed test."""
