# Targets for people: run, demo-kill, test, build, man, bench, peers, model, crash, fuzz, ulp, lint, generate.
GO ?= go
BIN := bin/gangsaw

.PHONY: run demo-kill build man test bench peers generate lint fuzz model crash crash-inplace formulas ulp

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

# Manual pages, to be copied to a directory man1 of man's path.
man: build
	$(BIN) man bin/man1

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

# The same jobs by gangsaw, NumPy and others, in turns: see bench/peers/README.md.
peers: build
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/gangsaw-peer ./bench/peers/gangsaw
	python3 bench/peers/run.py $(PEERSFLAGS)

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
	$(GO) test -count 1 -v -timeout 60m -run 'EachInstruction$$|InstructionInPlace|RandomKills|StopsAndKills|Respawns|Scribbler|LeaveNothing|KilledMaps|KilledPicks|KilledInPlace|KilledSupervisorIsResumed|KilledWithABackup' ./supervisor -crash

# A formula that must not be applied twice, in place: workers killed at each
# instruction of their loop, 2,000 at random moments on a file of SIZE bytes, and
# 200 times the command with all its workers, which is then resumed.
SIZE ?= 1073741824
crash-inplace:
	$(GO) test -count 1 -v -timeout 60m -run 'KilledWorkersOfEvalInPlace|KilledEvalInPlace' ./cmd/gangsaw -crash -size $(SIZE)
	$(GO) test -count 1 -v -timeout 120m -run 'InstructionOfEvalInPlace|InstructionInPlace|KilledWithABackup|KilledEvalOfScatteredElements' ./supervisor -crash

# Formulas over several types and inputs of SIZE bytes, compared element by element
# with what a C program computes.
formulas:
	$(GO) test -count 1 -v -timeout 60m -run TwentyFormulas ./cmd/gangsaw -formulas -size $(SIZE)

# A short run of every fuzz target: a number of inputs, for a time (10s) ends some
# runs with an error of Go's own, "context deadline exceeded" (golang.org/issue/75804).
# Little of it goes into making inputs that were found small.
FUZZTIME ?= 20000x
FUZZ = $(GO) test -run '^$$' -fuzzminimizetime 50x -fuzztime $(FUZZTIME)
FUZZ_TARGETS := FuzzParse@./shm/format/fits \
	FuzzParse@./shm/format/hdf5 \
	FuzzParse@./shm/format/netcdf \
	FuzzParse@./shm/format/npy \
	FuzzParse@./shm/format/npz \
	FuzzTable@./shm/format/npz \
	FuzzParse@./shm/format/raw \
	FuzzOpen@./shm/format/arrow \
	FuzzOpen@./shm/format/csv \
	FuzzOpen@./shm/format/parquet \
	FuzzParse@./shm/format/safetensors \
	FuzzParse@./shm/format/wav \
	FuzzPartial@./kernels \
	FuzzSurvey@./kernels \
	FuzzParseHeader@./supervisor/internal/journal \
	FuzzDecode@./supervisor/internal/partial \
	FuzzParse@./kernels/expr \
	FuzzDecode@./kernels/expr \
	FuzzGetResult@./supervisor/internal/wire \
	FuzzDecodeBinding@./supervisor/internal/wire \
	FuzzGather@./supervisor/internal/worker \
	FuzzView@./supervisor/internal/worker \
	FuzzRingPage@./supervisor/internal/engine \
	FuzzParseStat@./supervisor \
	FuzzFiles@./cmd/gangsaw/internal/doctor
.PHONY: $(FUZZ_TARGETS)
fuzz: $(FUZZ_TARGETS)
$(FUZZ_TARGETS):
	$(FUZZ) -fuzz '^$(firstword $(subst @, ,$@))$$' $(lastword $(subst @, ,$@))

# The largest error of every math function, all 2^32 float32 on every tier
# among them, into the table of kernels/doc_accuracy.go: 1 to 5 minutes for each
# function on 2 cores. A quick check: make ulp ULPFLAGS=-short
ULPFLAGS ?= -write ../doc_accuracy.go
ulp:
	@echo '#include <mpfr.h>' | $${CC:-cc} -E - >/dev/null 2>&1 || { \
		echo 'make ulp compares with MPFR and needs its headers: apt-get install gcc libc6-dev libmpfr-dev' >&2; exit 1; }
	cd kernels/ulp && $(GO) vet ./... && $(GO) test ./...
	cd kernels/ulp && $(GO) run . $(ULPFLAGS)
