"""`python -m tools.vllm_cpu`."""

import typer

from tools.vllm_cpu.server import main

typer.run(main)
