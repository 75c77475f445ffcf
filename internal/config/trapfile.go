package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of the files of traps. A hundred thousand traps take 9 MB.
const (
	mostTrapFiles = 1000
	mostTrapBytes = 16 << 20 // of one file
	mostFaults    = 100      // of one file: what is wrong with a whole list is soon said
)

// Form is how a list of traps is written.
type Form string

// The forms.
const (
	TOML Form = "toml" // [[trap]] tables
	CSV  Form = "csv"  // a trap a line: see csvTree
)

// TrapFile is a list of traps that is to become one of trap_files.
type TrapFile struct {
	Path      string // where it is to be; a file that is there is not read
	Name      string // what faults call it
	Text      []byte
	Form      Form
	Otherwise map[string]string // of CSV: kind, weight, state, active_from where the list has none
}

// TryTraps reads the configuration at a path as it would be with a file of traps, and gives the
// traps of that file, and whether trap_files has its place: else nobody would read it. The error
// is Faults about all there is to mend, also in the rest of the configuration.
func TryTraps(path string, f TrapFile) (traps []Trap, isRead bool, err error) {
	text, err := readText(path)
	if err != nil {
		return nil, false, err
	}
	_, r, err := parse(path, text, &f)
	if err != nil {
		return nil, false, err
	}
	return r.tried, r.taken, nil
}

// TrapFilesOf reads trap_files alone from the configuration at a path, which may lack its traps yet.
// The error is Faults where it is no TOML.
func TrapFilesOf(path string) ([]string, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	tree, syntax := parseTree(bytes.TrimPrefix(text, []byte("\ufeff")))
	if syntax != nil {
		syntax.File = path
		return nil, Faults{*syntax}
	}
	return section{newReader(path), "", tree}.patterns("trap_files"), nil
}

// patterns reads patterns of file names.
func (s section) patterns(key string) []string {
	var all []string
	for _, it := range s.list(key, "traps.d/*.toml") {
		if _, err := filepath.Match(it.text, ""); err != nil || it.text == "" {
			s.fault(it.path, quoted(it.text)+" is no pattern", "write it as traps.d/*.toml")
		}
		all = append(all, it.text)
	}
	return all
}

// filedTraps reads the traps of other files, in the order of their names. It declares no key:
// those of the file's own traps are the same.
func (s section) filedTraps(patterns []string) []Trap {
	if s.dry {
		return nil
	}
	var traps []Trap
	for _, path := range s.trapPaths(patterns) {
		traps = append(traps, s.filed(path)...)
	}
	if s.trial != nil {
		s.tried = s.trialTraps()
		traps = append(traps, s.tried...)
	}
	return traps
}

// trapPaths lists the files that the patterns fit, but for the one that is on trial.
func (s section) trapPaths(patterns []string) []string {
	var paths []string
	for i, pattern := range patterns {
		resolved := pattern
		if !filepath.IsAbs(resolved) {
			resolved = filepath.Join(filepath.Dir(s.reader.file), resolved)
		}
		found, err := filepath.Glob(resolved)
		isName := !strings.ContainsAny(pattern, `*?[\`)
		if err == nil && len(found) == 0 && isName && !s.isOnTrial(resolved) {
			s.fault(element(s.at("trap_files"), i), quoted(pattern)+" is not there",
				"write the file, or take the name out")
		}
		s.taken = s.taken || s.isTakenBy(resolved)
		paths = append(paths, found...)
	}
	paths = slices.DeleteFunc(paths, func(path string) bool {
		return strings.HasPrefix(filepath.Base(path), ".") || s.isOnTrial(path)
	})
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(paths) > mostTrapFiles {
		s.fault(s.at("trap_files"), fmt.Sprintf("is %d files", len(paths)),
			fmt.Sprintf("put the traps into at most %d", mostTrapFiles))
		return nil
	}
	return paths
}

func (r *reader) isOnTrial(path string) bool {
	return r.trial != nil && absolute(r.trial.Path) == absolute(path)
}

// isTakenBy tells whether a pattern has the place of the file on trial.
func (r *reader) isTakenBy(pattern string) bool {
	if r.trial == nil {
		return false
	}
	fits, err := filepath.Match(absolute(pattern), absolute(r.trial.Path))
	return err == nil && fits
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return filepath.Clean(path)
}

// filed reads the traps of one file.
func (r *reader) filed(path string) []Trap {
	text, err := readTraps(path)
	if err != nil {
		r.included = append(r.included, Fault{File: path, Problem: err.Error(),
			Mend: "let us read it, or take it out of trap_files"})
		return nil
	}
	tree, syntax := parseTree(bytes.TrimPrefix(text, []byte("\ufeff")))
	if syntax != nil {
		syntax.File = path
		r.included = append(r.included, *syntax)
		return nil
	}
	return r.include(path, tree)
}

func readTraps(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be read: %w", err)
	case !info.Mode().IsRegular() || info.Size() > mostTrapBytes:
		return nil, fmt.Errorf("is no file of at most %d MiB", mostTrapBytes>>20)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	return io.ReadAll(io.LimitReader(f, mostTrapBytes))
}

// trialTraps reads the file on trial, which must have some.
func (r *reader) trialTraps() []Trap {
	traps := r.triedTraps(r.trial)
	if len(traps) == 0 && len(r.included) == 0 {
		r.included = append(r.included, Fault{File: r.trial.Name, Problem: "has no traps",
			Mend: "give a list with one at least"})
	}
	return traps
}

func (r *reader) triedTraps(f *TrapFile) []Trap {
	if len(f.Text) > mostTrapBytes {
		r.included = append(r.included, Fault{File: f.Name, Problem: fmt.Sprintf(
			"is larger than %d MiB", mostTrapBytes>>20), Mend: "split it"})
		return nil
	}
	text := bytes.TrimPrefix(f.Text, []byte("\ufeff"))
	if f.Form == CSV {
		tree, faults := csvTree(f.Name, text, f.Otherwise)
		if r.included = append(r.included, faults...); len(faults) > 0 {
			return nil
		}
		return r.include(f.Name, tree)
	}
	tree, syntax := parseTree(text)
	if syntax != nil {
		syntax.File = f.Name
		r.included = append(r.included, *syntax)
		return nil
	}
	return r.include(f.Name, tree)
}

// include reads a tree that has [[trap]] tables and nothing else. No two traps of all files may be
// the same.
func (r *reader) include(name string, tree *node) []Trap {
	sub := newReader(name)
	sub.isIncluded, sub.claims = true, r.claims
	tree.index("", sub.lines)
	top := section{sub, "", tree}
	traps := top.traps()
	known := slices.DeleteFunc(Keys(), func(key string) bool {
		return !strings.HasPrefix(key, "trap.")
	})
	sub.checkTable(tree, "", "", newSchema(known))
	faults := sub.faults.sorted()
	if more := len(faults) - mostFaults; more > 0 {
		faults = append(faults[:mostFaults], Fault{File: name, Problem: fmt.Sprintf(
			"has %d faults more", more), Mend: "mend these first"})
	}
	r.included = append(r.included, faults...)
	return traps
}
