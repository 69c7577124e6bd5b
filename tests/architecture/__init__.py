"""Tests that look at the whole of asgikit: its doors, its state, what importing costs."""
