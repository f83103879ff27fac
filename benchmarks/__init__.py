"""Benchmarks: each script prints a table and, with `--json FILE`, writes one flat object."""
