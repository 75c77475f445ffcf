# Everything that is done to this tree. Needs Go, git and make; race and .ci/run also a C compiler.

GO       ?= go
FUZZTIME ?= 10s
SOAK     ?= 10m
# The name of the commit's tag, else its instant and hash: what dpkg can sort by age.
VERSION  ?= $(shell git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null | sed 's/^v//' | grep . || \
	TZ=UTC0 git log -1 --date=format-local:%Y%m%d%H%M%S --format=0~%cd.%h 2>/dev/null || echo 0~unknown)
TOOL      = $(GO) tool -modfile=tools/go.mod

.DEFAULT_GOAL = help
.PHONY: help build man run deb deb-test test race lint vuln bench fuzz soak kill clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

build: ## the static binary, bin/trapline
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' \
	  -o bin/trapline ./cmd/trapline

man: build ## the man pages, in bin/man, as of the last commit
	bin/trapline man --date "$$(date -u +%F -d @$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)})" bin/man

run: build ## build, and serve a demo configuration
	bin/trapline serve --demo

deb: build ## the Debian package, in bin/deb (needs debhelper)
	deploy/debian/pack '$(VERSION)'

deb-test: ## installs, upgrades, removes the package in a Debian of its own (root, three minutes)
	deploy/debian/test

test: ## all tests
	$(GO) test ./...

race: ## all tests with the race detector, in random order
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 18m ./...

# gofmt lists what it would change: that list must be empty. errcheck looks at tests as well, as a
# test that overlooks an error proves nothing; tools/errcheck.txt gives reasons for what it skips.
# zerologlint is a part for go vet, so that is what runs it.
lint: ## gofmt, vet, staticcheck, errcheck, ineffassign, errorlint, zerologlint
	@odd=$$(gofmt -l .) && test -z "$$odd" || { echo "gofmt -w" $$odd; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) errcheck -exclude tools/errcheck.txt ./...
	$(TOOL) ineffassign ./...
	$(TOOL) go-errorlint ./...
	$(GO) vet -vettool="$$($(TOOL) -n zerologlint)" ./...

# Not part of lint: it asks vuln.go.dev, so its answer changes while the code does not.
vuln: ## known vulnerabilities in what we call (needs the network)
	$(TOOL) govulncheck ./...

# As root it has a network of its own and a Postfix; BENCH=-help lists what can be chosen.
bench: build ## taking mail, against public peers: one table, in five minutes
	@$(GO) run ./internal/bench $(BENCH)

micro: ## the benchmarks of all packages
	$(GO) test -run '^$$' -bench . -benchmem ./...

# Go fuzzes one target of one package at a time. Minimizing an input that only widened the coverage
# can take a minute in which nothing is tried, hence its limit.
fuzz: ## every fuzz target for FUZZTIME (10s)
	@set -e; for package in $$($(GO) list ./...); do \
	  targets=$$($(GO) test -list '^Fuzz' $$package); \
	  for target in $$(printf '%s\n' "$$targets" | grep '^Fuzz' || true); do \
	    echo "== $$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) \
	      -fuzzminimizetime 10x $$package; \
	  done; \
	done

# Neither is part of test: they take ten and five minutes, and want the machine for themselves.
soak: ## good, hostile and odd senders for SOAK (10m): steady memory, nothing lost
	$(GO) test -count 1 -run '^TestSoak$$' -v -timeout 0 ./cmd/trapline -soak $(SOAK)

kill: ## 28 kills of the daemon under load, each at another moment: nothing lost, the same list
	$(GO) test -count 1 -run '^TestEndToEnd$$/^killed' -v -timeout 30m ./cmd/trapline \
	  -kill-rounds 28 -kill-messages 3600

clean: ## remove what was built
	rm -rf bin
