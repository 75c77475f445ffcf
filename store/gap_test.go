package store

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// gappy is a store of three days of five hits each that has lost some of them.
func gappy(t *testing.T, lost ...string) (dir string, at *hand) {
	t.Helper()
	dir, at = t.TempDir(), newClock()
	s := opened(t, Config{Dir: dir, Now: at.read})
	for day := range 3 {
		if day > 0 {
			at.move(daySpan)
		}
		add(t, s, 5*day+1, 5*day+5)
		decide(t, s, except(day))
	}
	closed(t, s)
	for _, name := range lost {
		gone(t, filepath.Join(dir, name))
	}
	return dir, at
}

// A store that has lost days opens, and says which hits it has lost: at each start,
// and after it was backed up and restored.
func TestMissingHitsAreTold(t *testing.T) {
	for _, c := range []struct {
		name string
		lost []string
		want []Gap
	}{
		{"none", nil, nil},
		{"first", []string{"hits-20261124.db"}, nil}, // as retention would
		{"middle", []string{"hits-20261125.db"}, []Gap{{6, 10}}},
		{"newest", []string{"hits-20261126.db"}, []Gap{{11, 15}}},
		{"all but the first", []string{"hits-20261125.db", "hits-20261126.db"}, []Gap{{6, 15}}},
		{"all", []string{"hits-20261124.db", "hits-20261125.db", "hits-20261126.db"}, []Gap{{1, 15}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, at := gappy(t, c.lost...)
			checkMissing(t, dir, at, c.want)
			s, err := OpenReadOnly(dir)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			m, err := s.Backup(t.Context(), &b, 0)
			if diff := cmp.Diff(c.want, m.Missing); err != nil || diff != "" {
				t.Errorf("backed up: %v %s", err, diff)
			}
			closed(t, s)
			dir = filepath.Join(t.TempDir(), "restored")
			if _, err := Restore(t.Context(), bytes.NewReader(b.Bytes()), dir, quiet); err != nil {
				t.Fatal(err)
			}
			checkMissing(t, dir, at, c.want)
		})
	}
}

// checkMissing: a store tells so, and a check of it.
func checkMissing(t *testing.T, dir string, at *hand, want []Gap) {
	t.Helper()
	for range 2 {
		s := opened(t, Config{Dir: dir, Now: at.read})
		if diff := cmp.Diff(want, s.Missing()); diff != "" {
			t.Error(diff)
		}
		closed(t, s)
	}
	if _, faults := checked(t, dir); (len(faults) > 0) != (len(want) > 0) {
		t.Errorf("a check names %v", faults)
	}
}

// What the log goes on with is behind the gap, and a backup that has lost a day by
// itself is none.
func TestLogGoesOnBehindAGap(t *testing.T) {
	dir, at := gappy(t, "hits-20261126.db")
	s := opened(t, Config{Dir: dir, Now: at.read})
	add(t, s, 16, 17)
	if got := all(t, s); !slices.Equal(got, append(upTo(1, 10), 16, 17)) {
		t.Errorf("the log holds %v", got)
	}
	closed(t, s)
	checkMissing(t, dir, at, []Gap{{11, 15}})
}
