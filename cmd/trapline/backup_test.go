package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// What a backup that was killed has left is removed by the next one; what another is
// writing stays, and so does everything that only looks alike.
func TestUnfinishedBackupsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "b.tar")
	for _, name := range []string{".b.tar123", ".b.tar4567", ".b.tar", ".b.tar.old", ".b.tar12.gz", "b.tar1", ".c.tar1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".b.tar99"), 0o700); err != nil {
		t.Fatal(err)
	}
	other, err := pendingFile(target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Cleanup(); err != nil {
			t.Error(err)
		}
	}()
	held, err := os.OpenFile(filepath.Join(dir, ".b.tar4567"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(held.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	dropUnfinished(target)
	want := []string{".b.tar", ".b.tar.old", ".b.tar12.gz", ".b.tar4567", ".b.tar99", ".c.tar1", "b.tar1",
		filepath.Base(other.Name())}
	if got := namesIn(t, dir); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("left %q, want %q", got, want)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	dropUnfinished(target)
	if got := namesIn(t, dir); slices.Contains(got, ".b.tar4567") || len(got) != len(want)-1 {
		t.Errorf("then left %q", got)
	}
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
