# `make demo` on a machine with python3 and make is all that a newcomer needs. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
VLLM_VENV := .venv-vllm
BIN := $(VENV)/bin

# Where pip does not find PyTorch's CPU build by itself: the address of the index that holds PyTorch's CPU wheels.
TORCH_CPU_INDEX ?=
PIP_INSTALL = install --quiet --disable-pip-version-check $(if $(TORCH_CPU_INDEX),--extra-index-url $(TORCH_CPU_INDEX))

# Test processes at once: each computes on one core, and takes about 2 GB.
TEST_WORKERS ?= 2

.PHONY: help venv venv-vllm demo serve studio notebook demo-model evaluate test test-web test-vllm lint format bench vllm-cpu clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

venv: $(VENV)/.installed ## make the virtual environment and install everything into it, also what tests and notebooks need

# What runs onelook with a model in this process; the rest is for those who change it.
$(VENV)/.runs: pyproject.toml constraints.txt
	@echo "Installing onelook with PyTorch and Transformers into $(VENV): about 2.4 GB on disk with PyTorch's CPU build, some minutes"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip $(PIP_INSTALL) --constraint constraints.txt --editable '.[embedded]'
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt tools/demo_model/requirements.txt
	@echo "Installing onelook and all that its tests and notebooks need into $(VENV): about 3.8 GB on disk, ten minutes or more"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip $(PIP_INSTALL) --constraint constraints.txt --editable '.[embedded,dev]' --requirement tools/demo_model/requirements.txt
	@touch $(VENV)/.runs $@

venv-vllm: $(VLLM_VENV)/.installed ## make the second environment, with vLLM's CPU build

$(VLLM_VENV)/.installed: constraints-vllm.txt
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/pip $(PIP_INSTALL) --requirement constraints-vllm.txt
	# Both come as CUDA builds, do not load under a CPU torch, and are not needed for pictures.
	$(VLLM_VENV)/bin/pip uninstall --quiet --yes torchaudio torchcodec
	@touch $@

demo: $(VENV)/.runs ## tag a few drawings on the embedded engine (no GPU, no download)
	$(BIN)/onelook demo $(IMAGE)

demo-model: venv ## train the demo checkpoints further on the CPU (about two hours; it can be interrupted)
	$(BIN)/python -m tools.demo_model.train
	$(BIN)/python -m tools.demo_model.evaluate --card --all-models

evaluate: venv ## score every arm on the bundled album, whose truth is known
	@mkdir -p build/bench
	$(BIN)/python -m tools.demo_model.evaluate --all-models --json build/bench/evaluate.json

serve: $(VENV)/.runs ## serve the web page and the HTTP API on 127.0.0.1:8080 (ONELOOK_HTTP__… sets more)
	$(BIN)/onelook serve

studio: $(VENV)/.runs ## open the graph in LangGraph Studio's local server: no key, nothing leaves the machine
	$(BIN)/pip $(PIP_INSTALL) --constraint constraints.txt --editable '.[studio]'
	$(BIN)/onelook studio

notebook: venv ## run the notebooks again and keep their outputs
	$(BIN)/jupyter execute --inplace notebooks/*.ipynb

test: venv ## run every test that needs neither vLLM nor a browser (TEST_WORKERS=2 at once)
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

test-web: venv ## run the page's tests in the Chromium or Chrome that is installed
	$(BIN)/pytest -m browser

test-vllm: venv venv-vllm ## run the end-to-end tests against a real vLLM server (CPU build)
	$(BIN)/pytest -m vllm

lint: venv ## lint, formatting, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: venv ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv ## run the shorter benchmarks (benchmarks/README.md lists all); figures go to build/bench/*.json
	@mkdir -p build/bench
	$(BIN)/python -m benchmarks.startup --json build/bench/startup.json
	$(BIN)/python -m benchmarks.prepare --json build/bench/prepare.json
	$(BIN)/python -m benchmarks.content --json build/bench/content.json
	$(BIN)/python -m benchmarks.overhead --json build/bench/overhead.json
	$(BIN)/python -m benchmarks.http --workers 2 --json build/bench/http.json
	$(BIN)/python -m benchmarks.run_cpu --json build/bench/run_cpu.json
	$(BIN)/python -m benchmarks.hostile --json build/bench/hostile.json
	$(BIN)/python -m benchmarks.unwell_servers --json build/bench/unwell_servers.json
	$(BIN)/python -m benchmarks.arms --json build/bench/arms.json

vllm-cpu: venv venv-vllm ## serve the demo checkpoint with vLLM's CPU build, in the foreground
	$(BIN)/python -m tools.vllm_cpu --python $(VLLM_VENV)/bin/python

clean: ## remove the environments and everything that was built
	rm -rf $(VENV) $(VLLM_VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
