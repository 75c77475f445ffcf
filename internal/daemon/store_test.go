package daemon

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/store"
)

// A start that finds hits gone says which, each time.
func TestStartTellsOfMissingHits(t *testing.T) {
	dir, c := t.TempDir(), new(clock)
	for day := range 3 {
		c.nanoseconds.Store(time.Date(2026, 11, 22+day, 9, 0, 0, 0, time.UTC).UnixNano())
		fillStore(t, dir, c.now)
	}
	if err := os.Remove(filepath.Join(dir, "hits-20261123.db")); err != nil {
		t.Fatal(err)
	}
	conf, err := config.Parse("trapline.toml", fmt.Appendf(nil, text, dir, ""))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var out bytes.Buffer
		d := &Daemon{options: Options{Events: ops.New(zerolog.New(&out)), Now: c.now}}
		if err := d.openStore(conf); err != nil {
			t.Fatal(err)
		}
		if err := d.stack.unwind(context.Background()); err != nil {
			t.Error(err)
		}
		if !strings.Contains(out.String(), `"level":"warn","event":"hits-missing","first":3,"last":4`) {
			t.Errorf("the log says %q", out.String())
		}
	}
}

// Evidence goes when the configuration says so, and the log tells it.
func TestEvidenceIsDroppedAndTold(t *testing.T) {
	dir, c := t.TempDir(), new(clock)
	c.nanoseconds.Store(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).UnixNano())
	fillStore(t, dir, c.now)
	conf, err := config.Parse("trapline.toml", fmt.Appendf(nil, text, dir, "\n[retention]\nevidence = \"240h\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, days := range []int{9, 12} {
		want := days == 12
		c.nanoseconds.Store(time.Date(2026, 11, 22+days, 9, 0, 0, 0, time.UTC).UnixNano())
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			d := &Daemon{options: Options{Events: ops.New(zerolog.New(&out)), Now: c.now}}
			if err := d.openStore(conf); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Minute) // of the bubble
			head, err := d.store.Evidence(1)
			if err != nil || (head == nil) != want {
				t.Errorf("after %d days the evidence is %q, %v", days, head, err)
			}
			if err := d.stack.unwind(context.Background()); err != nil {
				t.Error(err)
			}
			told := strings.Contains(out.String(), `"event":"evidence-dropped","file":"hits-20261122.db","bytes":`)
			if told != want {
				t.Errorf("after %d days the log says %q", days, out.String())
			}
		})
	}
}

// fillStore puts two hits into the store of a folder.
func fillStore(t *testing.T, dir string, now func() time.Time) {
	t.Helper()
	s, err := store.Open(store.Config{Dir: dir, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s.Begin()
	source := netip.MustParseAddr("198.51.100.7")
	for range 2 {
		if err := s.Append(t.Context(), &store.Record{Hit: criteria.Hit{Source: source},
			Evidence: store.PackEvidence([]byte("Subject: x\r\n"))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
