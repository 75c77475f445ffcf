package zone

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

// brokenDisk fails one call: before it is carried out, or after. Then it is mended, or dead as
// after a crash of the machine.
type brokenDisk struct {
	disk
	at      int // number of the failing call, from 1
	applies bool
	dead    bool
	calls   int
	renamed []string
}

var errBroken = errors.New("disk is broken")

func (d *brokenDisk) call(do func() error) error {
	d.calls++
	switch {
	case d.dead && d.calls > d.at:
		return errBroken
	case d.calls != d.at:
		return do()
	case d.applies:
		return errors.Join(errBroken, do())
	}
	return errBroken
}

func (d *brokenDisk) Write(name string, data []byte, at time.Time) error {
	return d.call(func() error {
		if d.calls == d.at {
			data = data[:len(data)/2] // what a full disk leaves
		}
		return d.disk.Write(name, data, at)
	})
}

func (d *brokenDisk) Link(file, name string) error {
	return d.call(func() error { return d.disk.Link(file, name) })
}

func (d *brokenDisk) Rename(from, to string) error {
	d.renamed = append(d.renamed, filepath.Base(to))
	return d.call(func() error { return d.disk.Rename(from, to) })
}

func (d *brokenDisk) Sync(folder string) error {
	return d.call(func() error { return d.disk.Sync(folder) })
}

func (d *brokenDisk) Folder(name string, mode os.FileMode) error {
	return d.call(func() error { return d.disk.Folder(name, mode) })
}

func (d *brokenDisk) Remove(name string) error {
	return d.call(func() error { return d.disk.Remove(name) })
}

func TestPublishRenamesInOrder(t *testing.T) {
	s := newSite(t)
	d := &brokenDisk{disk: osDisk{}}
	s.Publisher.disk = d
	s.publish(sample())
	public := slices.DeleteFunc(d.renamed, func(name string) bool {
		return !strings.HasPrefix(name, "bl.") && name != "SHA256SUMS"
	})
	same(t, "order", public, []string{"bl.example.txt", "bl.example.json", "bl.example", "SHA256SUMS"})
}

// TestPublishOnABrokenDisk breaks every call of a publication in turn, with and without effect, in
// a process that goes on and in one that dies. Every public file is at all times whole, the old one
// or the new one, and the next publication mends all.
func TestPublishOnABrokenDisk(t *testing.T) {
	old, list := many(0, 20), many(10, 20)
	calls := callsOf(t, old, list)
	for _, applies := range []bool{false, true} {
		for _, dead := range []bool{false, true} {
			for at := 1; at <= calls; at++ {
				t.Run(fmt.Sprintf("call %d of %d, applies %v, dead %v", at, calls, applies, dead),
					func(t *testing.T) { breakAt(t, old, list, brokenDisk{at: at, applies: applies, dead: dead}) })
			}
		}
	}
}

func callsOf(t *testing.T, old, list []criteria.Listing) int {
	s := newSite(t, func(c *Config) { c.Keep = 1 })
	s.publish(old)
	d := &brokenDisk{disk: osDisk{}}
	s.Publisher.disk = d
	s.publish(list)
	return d.calls
}

func breakAt(t *testing.T, old, list []criteria.Listing, d brokenDisk) {
	s := newSite(t, func(c *Config) { c.Keep = 1 })
	serials := []uint32{s.publish(old).Serial}
	before := s.files()
	s.clock = s.clock.Add(time.Minute)

	d.disk = osDisk{}
	s.Publisher.disk = &d
	if _, err := s.Publish(of(Snapshot{Listings: list})); !errors.Is(err, errBroken) {
		t.Fatalf("Publish = %v", err)
	}
	s.holdsWholeFiles(before, list)

	s.clock = s.clock.Add(time.Minute)
	if d.dead {
		s.restart(s.cfg)
	} else {
		s.Publisher.disk = osDisk{}
	}
	modified := s.newest()
	r := s.publish(list)
	same(t, "networks", s.networks(), networks(list))
	if r.Serial <= serials[0] || len(namesIn(t, s.dir)) != 4 {
		t.Errorf("mended: %+v, %v", r, namesIn(t, s.dir))
	}
	if !r.Unchanged && !s.modified().After(modified) {
		t.Errorf("modified %s, before the repair %s", s.modified(), modified)
	}
}

func (s *site) files() map[string]string {
	files := map[string]string{}
	for _, name := range namesOf("bl.example") {
		files[name] = s.read(name)
	}
	return files
}

func (s *site) newest() time.Time { return lookAt(s.dir, "bl.example").newest() }

// holdsWholeFiles: each file is the old one or the new one, and once one is old all that follow in
// the order of publication are.
func (s *site) holdsWholeFiles(before map[string]string, list []criteria.Listing) {
	s.Helper()
	now := criteria.At(s.clock)
	after := renderAll(header(), list, uint32(now), now)
	wasOld := false
	for i, name := range namesOf("bl.example") {
		switch got := s.read(name); {
		case got == before[name]:
			wasOld = true
		case got == string(after[i]) && !wasOld:
		default:
			s.Errorf("%s is neither the old nor the new file, or out of order:\n%s", name, got)
		}
	}
}

// TestPublishAfterACrashBetweenRenames: the sums do not fit, so the next start publishes, though
// the list is the same.
func TestPublishAfterACrashBetweenRenames(t *testing.T) {
	names := namesOf("bl.example")
	for i, name := range names {
		t.Run("before "+name, func(t *testing.T) {
			s := newSite(t)
			s.publish(many(0, 20))
			older := s.files()
			s.clock = s.clock.Add(time.Minute)
			s.publish(many(10, 20))
			for _, left := range names[i:] { // these were not renamed any more
				path := filepath.Join(s.dir, left)
				err := errors.Join(os.Remove(path), os.WriteFile(path, []byte(older[left]), 0o644))
				if err != nil {
					t.Fatal(err)
				}
			}
			s.restart(s.cfg)
			r := s.publish(many(10, 20))
			if r.Unchanged || (i > 0) != (len(r.Faults) > 0) {
				t.Errorf("result %+v", r)
			}
		})
	}
}

func TestPublishWhereItMayNotWrite(t *testing.T) {
	s := newSite(t)
	if err := os.WriteFile(s.dir, nil, 0o644); err != nil { // a file in the folder's place
		t.Fatal(err)
	}
	_, err := s.Publish(of(Snapshot{}))
	if err == nil || !strings.Contains(err.Error(), s.dir) {
		t.Errorf("Publish = %v, want the folder named", err)
	}
}

// mustWrite makes an empty file.
func mustWrite(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustRemove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}
