"""Tests of `asgikit.server.redis`, against a real Redis."""
