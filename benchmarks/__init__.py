"""Benchmarks of the warehouse, run by `make bench`."""
