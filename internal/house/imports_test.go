package house

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// anything stands for every package of the table.
const anything = "*"

// mayImport is the table of the house: the packages and which of our own each may import. Pure
// packages import pure ones; what does I/O imports pure ones; wiring imports all.
var mayImport = map[string][]string{
	"parser":            {"internal/address"},
	"criteria":          {"parser", "internal/address"},
	"store":             {"criteria"},
	"zone":              {"criteria"},
	"trap":              {"internal/rate"},
	"internal/intake":   {"trap", "parser", "criteria", "store"},
	"internal/judge":    {"criteria", "store"},
	"internal/dispute":  {"criteria", "store", "internal/address"},
	"internal/address":  {},
	"internal/redact":   {},
	"internal/signpost": {},
	"internal/mailbox":  {},
	"internal/feed":     {"criteria", "internal/address"},
	"internal/config":   {"criteria", "internal/address"},
	"internal/admin": {"criteria", "store", "zone", "internal/judge", "internal/dispute",
		"internal/address", "internal/redact", "internal/complaint",
		"internal/letter"},
	"internal/complaint": {"internal/redact"},
	"internal/letter":    {"parser", "internal/redact"},
	"internal/notice": {"parser", "criteria", "store", "internal/judge", "internal/redact",
		"internal/address"},
	"internal/web": {"criteria", "internal/address", "internal/notice", "internal/dispute",
		"internal/rate"},
	"internal/desk":             {"internal/admin", "internal/dispute", "criteria", "internal/web"},
	"internal/rate":             {},
	"internal/ops":              {},
	"internal/daemon":           {anything},
	"cmd/trapline":              {anything},
	"internal/bench":            {},
	"internal/house":            {},
	"internal/testpeer":         {},
	"internal/testpeer/browser": {},
}

// forTests are the packages that only tests import.
var forTests = []string{"internal/house", "internal/testpeer", "internal/testpeer/browser"}

// pure packages compute: the same in, the same out, at any time and on any machine.
var pure = []string{"parser", "criteria", "internal/address", "internal/redact",
	"internal/complaint", "internal/letter"}

// impure is what a pure package does not import, with what is below it. net/netip is fine: it only
// computes.
var impure = []string{"os", "log", "net", "net/http", "syscall", "io/ioutil", "math/rand",
	"crypto/rand", "path/filepath", "database", "github.com/rs/zerolog"}

// clock is what a pure package does not ask for: the time is an argument.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer",
	"NewTicker"}

func TestImportTable(t *testing.T) {
	for _, f := range code(t) {
		for _, fault := range importFaults(f) {
			t.Error(fault)
		}
	}
}

// TestTableHasNoLoop keeps the table itself honest: a package may only name known ones, and the
// packages for tests are nobody's.
func TestTableHasNoLoop(t *testing.T) {
	var visit func(pkg string, from []string)
	visit = func(pkg string, from []string) {
		if slices.Contains(from, pkg) {
			t.Fatalf("import loop: %s", strings.Join(append(from, pkg), " → "))
		}
		allowed, known := mayImport[pkg]
		if !known || slices.Contains(forTests, pkg) && len(from) > 0 {
			t.Errorf("the table lets %v import %s", from, pkg)
		}
		for _, to := range allowed {
			if to != anything {
				visit(to, append(slices.Clone(from), pkg))
			}
		}
	}
	for pkg := range mayImport {
		visit(pkg, nil)
	}
}

func importFaults(f *file) []string {
	allowed, known := mayImport[f.pkg]
	if !known {
		return []string{fmt.Sprintf("%s: package %s is not in the table of the house: "+
			"decide what it may import, and say so there and in the design", f.path, f.pkg)}
	}
	var faults []string
	for _, path := range f.imports() {
		ours, isOurs := strings.CutPrefix(path, module)
		if isOurs && !mayUse(allowed, ours) {
			faults = append(faults, fmt.Sprintf("%s: %s must not import %s: it may import %v. "+
				"Move the code, or let an interface of its own say what it needs",
				f.path, f.pkg, ours, allowed))
		}
	}
	return faults
}

func mayUse(allowed []string, pkg string) bool {
	if slices.Contains(forTests, pkg) {
		return false
	}
	return slices.Contains(allowed, anything) || slices.Contains(allowed, pkg)
}

func TestPurePackages(t *testing.T) {
	for _, f := range code(t) {
		if slices.Contains(pure, f.pkg) {
			for _, fault := range impurities(f) {
				t.Error(fault)
			}
		}
	}
}

func impurities(f *file) []string {
	var faults []string
	for _, path := range f.imports() {
		if isImpure(path) {
			faults = append(faults, fmt.Sprintf("%s: %s imports %s, but it is pure: "+
				"let the caller do that and hand over the result", f.path, f.pkg, path))
		}
	}
	f.eachTimeUse(func(p token.Pos, name string) {
		if slices.Contains(clock, name) {
			faults = append(faults, fmt.Sprintf("%s: time.%s in a pure package: take `now` as an "+
				"argument, or nobody can test or replay this", f.at(p), name))
		}
	})
	return faults
}

func isImpure(path string) bool {
	if path == "net/netip" || path == "net/mail" || path == "net/textproto" {
		return false
	}
	return slices.ContainsFunc(impure, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}
