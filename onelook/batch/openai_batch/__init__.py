"""The OpenAI batch format: questions in files, which OpenAI's Batch API or `vllm run-batch` answers in other files."""
