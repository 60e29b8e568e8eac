# Targets for people: run, demo-kill, test, build, bench, model, crash, fuzz, ulp, lint, generate.
GO ?= go
BIN := bin/gangsaw

.PHONY: run demo-kill build test bench generate lint fuzz model crash ulp

# Everything from nothing: build, and statistics and expressions of a real file and
# of a generated one of 512 MiB, on worker processes.
run: build data/normal.npy
	$(BIN) info testdata/ecg.npy data/normal.npy
	$(BIN) stat -j 2 testdata/ecg.npy
	$(BIN) stat -j 2 data/normal.npy
	$(BIN) eval 'mean(x), std(x), sum(log1p(abs(x)))' data/normal.npy
	$(BIN) eval '(x - mean(x)) / std(x)' data/normal.npy

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/gangsaw

data/normal.npy: | build
	mkdir -p data
	$(BIN) gen $@ --shape 67108864

# A file is standardised in place, everything is killed half-way, and resumed.
demo-kill: build
	testdata/demo-kill.sh $(BIN) data

test:
	$(GO) vet ./...
	$(GO) test ./...
	cd supervisor/arrowtest && $(GO) vet ./... && $(GO) test ./...

# Each kernel, type, tier and size takes its 20 ms, some minutes in all.
bench:
	$(GO) test -run '^$$' -bench . ./ring ./kernels/expr ./supervisor/... ./bench
	$(GO) test -run '^$$' -bench . -benchtime 20ms -timeout 60m ./kernels

# Kernels of all tiers from their one description, and go.mod's bookkeeping.
generate:
	$(GO) generate ./...
	$(GO) mod tidy
	cd kernels/generate && $(GO) mod tidy
	cd kernels/ulp && $(GO) mod tidy
	cd supervisor/arrowtest && $(GO) mod tidy

lint:
	test -z "$$(gofmt -l .)"
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	cd kernels/generate && $(GO) vet ./... && $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	cd supervisor/arrowtest && $(GO) vet ./... && $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

# Every interleaving of small models of the ring, of its recovery and of the commit
# in place, with deaths.
model:
	$(GO) test -count 1 -v -run Model ./ring -deep
	$(GO) test -count 1 -v -run Model ./supervisor/internal/journal

# Workers killed at each instruction of their loop, and of a change in place, and at
# thousands of random moments, stopped, respawned, everything killed and resumed,
# random bytes all over the ring, and thousands of pools: half an hour.
crash:
	$(GO) test -count 1 -v -timeout 60m -run 'EachInstruction|RandomKills|StopsAndKills|Respawns|Scribbler|LeaveNothing|KilledMaps|KilledInPlace|KilledSupervisorIsResumed' ./supervisor -crash

# A short run of every fuzz target. Little of it goes into making inputs that
# were found small.
FUZZTIME ?= 10s
FUZZ = $(GO) test -run '^$$' -fuzzminimizetime 1s -fuzztime $(FUZZTIME)
fuzz:
	$(FUZZ) -fuzz FuzzParse ./shm/format/npy
	$(FUZZ) -fuzz FuzzParse ./shm/format/raw
	$(FUZZ) -fuzz FuzzPartial ./kernels
	$(FUZZ) -fuzz FuzzParseHeader ./supervisor/internal/journal
	$(FUZZ) -fuzz FuzzParse ./kernels/expr
	$(FUZZ) -fuzz FuzzDecode ./kernels/expr
	$(FUZZ) -fuzz FuzzGetResult ./supervisor/internal/wire
	$(FUZZ) -fuzz FuzzRingPage ./supervisor/internal/engine

# The largest error of every math function, all 2^32 float32 on every tier
# among them, into the table of kernels/doc_accuracy.go: 1 to 5 minutes for each
# function on 2 cores. A quick check: make ulp ULPFLAGS=-short
ULPFLAGS ?= -write ../doc_accuracy.go
ulp:
	@echo '#include <mpfr.h>' | $${CC:-cc} -E - >/dev/null 2>&1 || { \
		echo 'make ulp compares with MPFR and needs its headers: apt-get install gcc libc6-dev libmpfr-dev' >&2; exit 1; }
	cd kernels/ulp && $(GO) vet ./... && $(GO) test ./...
	cd kernels/ulp && $(GO) run . $(ULPFLAGS)
