package store

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

// Whatever is wrong with an archive, nothing is written.
func TestDamagedBackupIsNotBelieved(t *testing.T) {
	backup := backedUp(t, newSound(t))
	refused := func(what string, b []byte) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "data")
		_, err := Restore(context.Background(), bytes.NewReader(b), dir, quiet)
		if !errors.Is(err, ErrNoBackup) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something was written", what)
		}
	}
	for cut := 0; cut < len(backup)-1024; cut += 1 + len(backup)/40 {
		refused("cut", backup[:cut])
	}
	for i := range 200 {
		at := i * len(backup) / 200
		if bytes.IndexByte(backup[at:min(at+512, len(backup))], 1) < 0 && allZero(backup[at:min(at+8, len(backup))]) {
			continue // padding
		}
		b := bytes.Clone(backup)
		b[at] ^= 0x10
		dir := filepath.Join(t.TempDir(), "data")
		_, err := Restore(t.Context(), bytes.NewReader(b), dir, quiet)
		if _, faults := checkedIf(t, dir, err); err == nil && len(faults) > 0 {
			t.Errorf("byte %d flipped: restored with %v", at, faults)
		}
	}
	for name, change := range map[string]func([]entry) []entry{
		"a name that leads out": func(e []entry) []entry { e[1].name = "../ledger/000001"; return e },
		"an absolute name":      func(e []entry) []entry { e[1].name = "/ledger/000001"; return e },
		"another file":          func(e []entry) []entry { e[1].name = "trapline.toml/000001"; return e },
		"no day":                func(e []entry) []entry { e[2].name = "hits-20261399/000001"; return e },
		"a piece twice":         func(e []entry) []entry { return slices.Insert(e, 2, e[2]) },
		"a piece gone":          func(e []entry) []entry { return slices.Delete(e, 2, 3) },
		"days swapped":          func(e []entry) []entry { e[2], e[3] = e[3], e[2]; return e },
		"no ledger":             func(e []entry) []entry { return slices.Delete(e, 1, 2) },
		"no head":               func(e []entry) []entry { return e[1:] },
		"a link":                func(e []entry) []entry { e[1].kind = tar.TypeSymlink; return e },
		"the manifest of another": func(e []entry) []entry {
			e[0].content = bytes.Replace(e[0].content, []byte(`"store": "`), []byte(`"store": "0`), 1)
			return e
		},
		"a manifest that is none":  func(e []entry) []entry { e[4].content = []byte("{"); return e },
		"nothing but its head":     func(e []entry) []entry { return e[:1] },
		"nothing but its manifest": func(e []entry) []entry { return slices.Delete(e, 1, 4) },
		"of another program":       func(e []entry) []entry { e[0].content = []byte(`{"format":"x"}`); return e },
	} {
		refused(name, repacked(t, change(unpacked(t, backup))))
	}
	newer := unpacked(t, backup)
	newer[0].content = bytes.Replace(newer[0].content, []byte(`"version": 1`), []byte(`"version": 2`), 1)
	if _, err := Restore(t.Context(), bytes.NewReader(repacked(t, newer)), t.TempDir(), quiet); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer backup: %v", err)
	}
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func checkedIf(t *testing.T, dir string, err error) ([]Checked, []Fault) {
	t.Helper()
	if err != nil {
		return nil, nil
	}
	return checked(t, dir)
}

// entry is one member of an archive.
type entry struct {
	name    string
	kind    byte
	content []byte
}

func unpacked(t testing.TB, archive []byte) (entries []entry) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry{h.Name, h.Typeflag, content})
	}
}

func repacked(t testing.TB, entries []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o600}
		if e.kind == tar.TypeReg {
			h.Size = int64(len(e.content))
		} else {
			h.Linkname, e.content = "/etc/passwd", nil
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzRestore: an archive is a stranger's. What is believed is a whole store.
func FuzzRestore(f *testing.F) {
	f.Add(backedUp(f, newSound(f)))
	s := opened(f, Config{Dir: f.TempDir()})
	add(f, s, 1, 1)
	decide(f, s, counted(7))
	var small bytes.Buffer
	if _, err := s.Backup(context.Background(), &small, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if _, err := Restore(t.Context(), bytes.NewReader(b), dir, quiet); err != nil {
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("%v, and left %v", err, left)
			}
			return
		}
		if _, faults := checked(t, dir); len(faults) > 0 {
			t.Error(faults)
		}
	})
}

// FuzzPairs: pieces come with checksums that whoever made the archive chose.
func FuzzPairs(f *testing.F) {
	f.Add(appendPair(nil, bucketHit, key(1), seal(bucketHit, key(1), hit(1).append(nil))))
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		err := pairs(b, func(bucket, k, v []byte) error {
			again = appendPair(again, bucket, k, v)
			return nil
		})
		if err == nil && len(again) > len(b) { // shorter: a length may be spelt longer than need be
			t.Errorf("%x becomes %x", b, again)
		}
	})
}

// FuzzDecision: what a ledger holds unpacks, or is damage.
func FuzzDecision(f *testing.F) {
	f.Add([]byte(`{"act":"except","network":"203.0.113.0/24","reason":"x"}`))
	f.Add([]byte(`{"act":"points","name":"log"}`))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := unpackDecision(key(1), seal(bucketDecision, key(1), b))
		if err != nil {
			return
		}
		if d.Seq != 1 {
			t.Errorf("decision %d", d.Seq)
		}
		if d.Act != criteria.ActPoints && d.Check() != nil {
			t.Errorf("%+v passed", d)
		}
	})
}

// FuzzSnapshot: a snapshot is believed with its checksum and identity alone.
func FuzzSnapshot(f *testing.F) {
	s := opened(f, Config{Dir: f.TempDir()})
	if err := s.WriteSnapshot(Mark{LSN: 7, At: 9}, []byte("state")); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(s.snapshotPath())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:10])
	store := s.ledger.store
	f.Fuzz(func(t *testing.T, b []byte) {
		m, state, err := parseSnapshot(b, store)
		if err != nil {
			if state != nil || m != (Mark{}) {
				t.Errorf("%v, and yet %+v, %q", err, m, state)
			}
			return
		}
		if diff := cmp.Diff(b[snapshotHead:len(b)-4], state); diff != "" {
			t.Errorf("%+v %s", m, diff)
		}
	})
}
