"""The tests of asgikit: one folder per room, and some that look at the whole."""
