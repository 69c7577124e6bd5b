"""Tests of `asgikit.testing`."""
