"""The bench: `python -m tests.bench`. What is measured stands in `rows_*.py`, how in `measure.py`."""
