"""A server that speaks the OpenAI protocol, vLLM first of all."""
