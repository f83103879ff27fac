"""SigLIP as a zero-shot classifier, in this process or behind a vLLM pooling server.

Zhai et al. 2023, arXiv 2303.15343; SigLIP 2: Tschannen et al. 2025, arXiv 2502.14786.
"""
