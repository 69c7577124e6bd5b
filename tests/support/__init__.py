"""What the tests share: the guard against leaks, and the programs that some of them need."""
