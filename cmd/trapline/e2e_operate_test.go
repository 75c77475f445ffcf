package main

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// testStopDrains: told to stop, the daemon takes the message that is under way, and ends well.
func testStopDrains(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	d := s.serve()
	c, err := dial(d.proxy, netip.MustParseAddr("198.51.100.7"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.leave()
	if err := c.begin("last@sender.example", "one@traps.example"); err != nil {
		t.Fatal(err)
	}
	d.signal(syscall.SIGTERM)
	testpeer.Eventually(t, patience, "the listener to close", func() bool { return closed(d.proxy) })
	if err := c.finish("the last"); err != nil {
		t.Errorf("a message that was under way: %v", err)
	}
	if code := d.exit(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	hits := records[admin.Hit](s, "hits")
	if len(hits) != 1 || hits[0].MailFrom != "last@sender.example" {
		t.Errorf("hits: %+v", hits)
	}
	if r := s.run("hits"); !strings.Contains(r.err, "the daemon is down") {
		t.Errorf("hits without a daemon says %q", r.err)
	}
}

// testSecondDaemon: two daemons on one folder would ruin it, so the second says so and goes, and
// the first one does not notice.
func testSecondDaemon(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	d := s.serve()
	second := s.launch()
	if code := second.exit(); code != exitFailed {
		t.Errorf("the second daemon: exit %d", code)
	}
	checkComplaint(t, second.logged(), s.path("data")+": in use by another process")
	d.blame("198.51.100.7")
	if r := s.run("lookup", "198.51.100.7"); r.code != exitDone || r.err != "" {
		t.Errorf("the first daemon: %+v", r)
	}
	if code := d.stop(); code != exitDone {
		t.Errorf("the first daemon: exit %d", code)
	}
}

// checkComplaint: the program's own words, beside its log, are one line with these in it.
func checkComplaint(t *testing.T, logged string, words ...string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(logged) {
		if !strings.HasPrefix(line, "{") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		t.Errorf("want one line of complaint, got %q", lines)
	}
	for _, word := range append(words, "trapline: ") {
		if !strings.Contains(strings.Join(lines, ""), word) {
			t.Errorf("want %q in %q", word, lines)
		}
	}
}

// testReload: a new trap works without a restart, and a configuration with a fault changes nothing.
func testReload(t *testing.T, binary string) {
	const added, to = "[[trap]]\ndomain = \"bait.example\"\n", "one@bait.example"
	s := newSite(t, binary, "")
	d := s.serve()
	if err := d.bring("198.51.100.7", "before", to); err == nil ||
		!strings.HasPrefix(err.Error(), "550 ") {
		t.Errorf("a trap that is not there yet: %v", err)
	}
	s.configure(added)
	if got := d.hangUp(); got.Error != "" {
		t.Errorf("reload: %+v", got)
	}
	if err := d.bring("198.51.100.7", "after", to); err != nil {
		t.Errorf("a trap that was added: %v", err)
	}
	s.configure("[[trap]]\ndomian = \"bait.example\"\n")
	if got := d.hangUp(); !strings.Contains(got.Error, "domian") {
		t.Errorf("reload with a fault: %+v", got)
	}
	if r := s.run("reload"); r.code != exitUsage || !strings.Contains(r.err, "domian") {
		t.Errorf("reload with a fault, by verb: %+v", r)
	}
	if err := d.bring("198.51.100.7", "still", to); err != nil {
		t.Errorf("the trap after a reload that failed: %v", err)
	}
}

// hangUp sends SIGHUP and waits for what comes of it.
func (d *server) hangUp() event {
	d.Helper()
	before := len(d.events("reloaded"))
	d.signal(syscall.SIGHUP)
	testpeer.Eventually(d, patience, "the reload", func() bool {
		return len(d.events("reloaded")) > before
	})
	return d.events("reloaded")[before]
}

// testUnusableStore: a store that cannot be right stops the start with one line that names the file
// and what is wrong with it.
func testUnusableStore(t *testing.T, binary string) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, data, day string) (file string)
		want  string
	}{
		{"day cut off", func(t *testing.T, _, day string) string {
			return changed(t, day, func(text []byte) []byte { return text[:len(text)/2] })
		}, "damaged"},
		{"day emptied", func(t *testing.T, _, day string) string {
			return changed(t, day, func([]byte) []byte { return nil })
		}, "damaged"},
		{"ledger overwritten", func(t *testing.T, data, _ string) string {
			return changed(t, filepath.Join(data, "ledger.db"), func(text []byte) []byte {
				clear(text[:8<<10]) // both meta pages
				return text
			})
		}, "damaged"},
		{"day of a newer version", func(t *testing.T, _, day string) string {
			return ofNewerVersion(t, day)
		}, "written by a newer version"},
		{"day of another store", func(t *testing.T, _, day string) string {
			return ofAnotherStore(t, binary, day)
		}, "not a file of this store"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, binary, "")
			storeWithHits(s)
			file := c.spoil(t, s.path("data"), dayOf(t, s))
			d := s.launch()
			if code := d.exit(); code != exitFailed {
				t.Errorf("exit %d", code)
			}
			checkComplaint(t, d.logged(), file, c.want)
		})
	}
}

// storeWithHits leaves a store that a daemon has used.
func storeWithHits(s *site) {
	s.Helper()
	d := s.serve()
	d.blame("198.51.100.7")
	if code := d.stop(); code != exitDone {
		s.Fatalf("exit %d", code)
	}
}

// dayOf is the newest file of hits.
func dayOf(t *testing.T, s *site) string {
	t.Helper()
	days, err := filepath.Glob(s.path("data/hits-*.db"))
	if err != nil || len(days) == 0 {
		t.Fatalf("days %v, %v", days, err)
	}
	return days[len(days)-1]
}

func changed(t *testing.T, path string, change func([]byte) []byte) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ofNewerVersion raises the number of the layout in a file, as the store's documentation lays it
// out: version, content, checksum.
func ofNewerVersion(t *testing.T, path string) string {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		value := binary.BigEndian.AppendUint64([]byte{1}, 999)
		sum := crc32.Checksum([]byte("meta"+"schema"+string(value)), crc32.MakeTable(crc32.Castagnoli))
		return tx.Bucket([]byte("meta")).Put([]byte("schema"),
			binary.BigEndian.AppendUint32(value, sum))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// ofAnotherStore puts the same day of another store in a file's place.
func ofAnotherStore(t *testing.T, binary, path string) string {
	t.Helper()
	other := newSite(t, binary, "")
	storeWithHits(other)
	foreign, err := os.ReadFile(dayOf(t, other))
	if err != nil {
		t.Fatal(err)
	}
	return changed(t, path, func([]byte) []byte { return foreign })
}
