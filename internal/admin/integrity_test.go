package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trapline/trapline/store"
)

// A check through the door sees what a check of the folder sees afterwards.
func TestCheckThroughTheDoor(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	found := map[string]Checkup{}
	for c, err := range o.door().CheckStore(t.Context(), true) {
		if err != nil {
			t.Fatal(err)
		}
		found[c.File] = c
		for _, f := range c.Faults {
			t.Error(f)
		}
	}
	if day := found["hits-20261124.db"]; day.Records != 2 || day.Last != 2 {
		t.Errorf("found %+v", found)
	}
	if found["replay"].Note == "" || found["ledger.db"].Records == 0 {
		t.Errorf("found %+v", found)
	}
}

func TestOneCheckAndOneBackupAtATime(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	client := o.door()
	o.checking.Lock()
	for _, err := range client.CheckStore(t.Context(), false) {
		checkRefused(t, "a second check", err)
	}
	o.checking.Unlock()
	o.simulating.Lock()
	var last error
	for _, err := range client.CheckStore(t.Context(), true) {
		last = err
	}
	checkRefused(t, "a replay beside a simulation", last)
	o.simulating.Unlock()
	o.backing.Lock()
	checkRefused(t, "a second backup", client.Backup(t.Context(), io.Discard, noProgress))
	o.backing.Unlock()
}

func checkRefused(t *testing.T, what string, err error) {
	t.Helper()
	var p *ProblemError
	if !errors.As(err, &p) || !strings.Contains(p.Message, "under way") {
		t.Errorf("%s: %v", what, err)
	}
}

func noProgress(uint64, uint64) {}

// A backup through the door lists the same after it was restored.
func TestBackupThroughTheDoor(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	var b bytes.Buffer
	var told, about uint64
	if err := o.door().Backup(t.Context(), &b, func(n, all uint64) { told, about = n, all }); err != nil {
		t.Fatal(err)
	}
	if told != uint64(b.Len()) || about == 0 {
		t.Errorf("told %d of %d, it has %d bytes", told, about, b.Len())
	}
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := store.Restore(t.Context(), bytes.NewReader(b.Bytes()), dir, noProgress); err != nil {
		t.Fatal(err)
	}
	for c, err := range CheckFolder(t.Context(), dir, true) {
		if err != nil || len(c.Faults) > 0 {
			t.Errorf("restored: %+v, %v", c, err)
		}
	}
}

// What goes wrong in the middle of a backup comes behind it, so that nobody takes
// it for a whole one.
func TestBackupThatFails(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.door().Backup(ctx, io.Discard, noProgress); !errors.Is(err, context.Canceled) {
		t.Errorf("a backup that nobody waits for: %v", err)
	}
	entries, err := filepath.Glob(filepath.Join(o.dir, "hits-*.db"))
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	if err := os.Truncate(entries[0], 8192); err != nil {
		t.Fatal(err)
	}
	if err := o.door().Backup(t.Context(), io.Discard, noProgress); err == nil ||
		!strings.Contains(err.Error(), "damaged") {
		t.Errorf("a backup of a file that was cut: %v", err)
	}
}
