# Every door to the project. `make demo` to see it, `make test` to trust it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install dev demo test bench chaos fuzz check contract lock secrets clean

install: .venv/.installed

dev: .venv/.dev

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "需要 Python 3.11 以上：make PYTHON=python3.12 … Python 3.11 or later is needed."; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: install
	$(BIN)/hours demo

test: dev
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

# A thousand faults, some twenty minutes; CHAOS="--seed 42" does the same ones again.
chaos: dev
	$(BIN)/python -m tests.chaos $(CHAOS)

# A million spoilt records through a worker; FUZZ="--decoder --seed 7" tries the decoder alone.
fuzz: dev
	$(BIN)/python -m tests.fuzz $(FUZZ)

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Other sizes, or parts: make bench BENCH="--taps 200000 --only quix". The peers live apart.
bench: install .venv-bench/.installed
	.venv-bench/bin/python -m benchmarks --hours-python $(BIN)/python $(BENCH)

.venv-bench/.installed: benchmarks/requirements.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes \
	  -r benchmarks/requirements.lock
	@touch $@

# Writes producers/contract/ from the models.
contract: install
	$(BIN)/python -m producers.schemas

# Pins every dependency with its hashes; names no index, so any mirror will do.
lock: dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --upgrade \
	  pyproject.toml requirements-build.in -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --upgrade \
	  --extra dev pyproject.toml requirements-build.in -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --upgrade \
	  pyproject.toml benchmarks/requirements.in -o benchmarks/requirements.lock

# A random password for each of docker-compose.yml's secrets; those that are there stay. Only the
# folder keeps others out: within a container, whichever user it runs as must read the file.
secrets:
	@umask 077; mkdir -p secrets; chmod 700 secrets; \
	for name in postgres_superuser ledger_owner ledger_worker ledger_registrar ledger_board \
	  ledger_signer ledger_reader kafka_owner kafka_worker kafka_gateway kafka_keeper kafka_board kafka_reader \
	  roster grafana_admin; do \
	  [ -e secrets/$$name ] && continue; \
	  head -c 32 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_' > secrets/.new; \
	  chmod 444 secrets/.new; mv secrets/.new secrets/$$name; echo "secrets/$$name"; \
	done

clean:
	rm -rf .venv .venv-bench .hours
