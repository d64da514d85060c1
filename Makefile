# Two commands for a newcomer; `.ci/run` is everything that must hold before a change lands.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo test cargo

# Builds read the committed .sqlx and need no database.
export SQLX_OFFLINE ?= true
export PATH := $(CURDIR)/.judges/bin:$(PATH)

say := printf '\n== %s\n'

## make demo             the story of one fee, from quote to proof, on a database and a bank of its own
## make demo ARGS=--exit the same, and then ends
demo: cargo
	@$(say) "PostgreSQL: looking for it (installing it takes about a minute)"
	@.ci/get-postgres >/dev/null
	@$(say) "compiling Mizan (about 5 minutes on two cores the first time, seconds after)"
	@cargo build --locked --bin mizan
	@$(say) "the demo (under 30 seconds)"
	@cargo run --quiet --locked --bin mizan -- demo $(ARGS)

## make test             every test, against a private PostgreSQL and the independent judges
## make test ARGS=recon  the tests whose name holds a word
test: cargo
	@$(say) "PostgreSQL: looking for it (installing it takes about a minute)"
	@.ci/get-postgres >/dev/null
	@$(say) "judges: independent programs the results are held against (about a minute the first time)"
	@.ci/get-judges
	@$(say) "compiling the tests (about 8 minutes on two cores the first time), then running them (about 3 minutes)"
	@if cargo nextest --version >/dev/null 2>&1; \
	  then $(if $(ARGS),,cargo test --quiet --locked --workspace --doc &&) \
	    .ci/with-pg cargo nextest run --locked --workspace --no-fail-fast $(ARGS); \
	  else .ci/with-pg cargo test --locked --workspace --no-fail-fast $(ARGS); fi

## make help             this page
help:
	@sed -n 's/^## //p' Makefile

cargo:
	@command -v cargo >/dev/null || { echo "Rust 1.95 or newer is needed: install rustup, then run: rustup toolchain install stable"; exit 1; }
