# Everything runs in .venv; `make setup` makes it, the other targets call it when they need it.
PYTHON ?= python3
BIN = .venv/bin
JOBS ?= 2

.PHONY: setup demo course course-smoke test test-coco test-configs lint lock bench bench-gpu clean

setup: .venv/.ready

.venv/.ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

demo: setup
	$(BIN)/lab run configs/quickstart.toml

# Every figure of the course and its site: runs/course/index.html.
course: setup
	$(BIN)/lab course

course-smoke: setup
	$(BIN)/lab course --smoke

test: setup
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# All of the bbob suite against coco-experiment: minutes.
test-coco: setup
	$(BIN)/python -m pytest -n $(JOBS) -m coco

# The configs that `make test` leaves out, in short; the course has `course-smoke`.
test-configs: setup
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m configs

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Against PyTorch and optimistix too, where `pip install torch optimistix` has put them into .venv.
bench: setup
	$(BIN)/lab run configs/bench/headline.toml

# On a machine with a GPU: `pip install -U "jax[cuda13]"` first; nvcc and torch are used if there.
bench-gpu: setup
	$(BIN)/lab run configs/bench/gpu.toml

# Needs uv. The lock holds versions and hashes, and no addresses.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra dev pyproject.toml -o requirements.txt

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache runs
