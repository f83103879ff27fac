"""A vLLM server on the CPU, for tests, benchmarks and a first try without a GPU."""
