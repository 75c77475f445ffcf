package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "run"), 0o700),
		os.Symlink("run", filepath.Join(dir, "link")),
		os.Symlink("nowhere", filepath.Join(dir, "dangling"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, c := range []struct{ path, want string }{
		{"run/x", "run/x"},
		{"link/x", "run/x"},
		{"./link//../link/x", "run/x"},
		{"link/not/there/x", "run/not/there/x"},
		{"not/there/x", "not/there/x"},
		{"dangling/x", "dangling/x"},
		{"link", "link"}, // a name that a socket would take is not followed
	} {
		want := filepath.Join(dir, c.want)
		if got := Canonical(c.path); got != want {
			t.Errorf("%s: got %s, want %s", c.path, got, want)
		}
		if got := Canonical(filepath.Join(dir, c.path)); got != want {
			t.Errorf("%s from the root: got %s, want %s", c.path, got, want)
		}
	}
	if got := Canonical("/"); got != "/" {
		t.Errorf("the root: got %s", got)
	}
	if tcp := (Address{"tcp", "link/x:25"}); tcp.Canonical() != tcp {
		t.Errorf("tcp: got %v", tcp.Canonical())
	}
}

// TestPlaces: a unix socket takes nobody's place, however its path is spelled.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, "one")
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.Mkdir(at("data"), 0o700), os.Symlink("data", at("link")), os.Symlink("live.sock", at("alias.sock")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("unix", at("live.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	base := fmt.Sprintf("data_dir = %q\n%s[[listen]]\ntls = 'file'\ncert_file = %q\nkey_file = %q\n",
		at("data"), smallest, cert, key)
	const same, is, may = "takes the same socket as", "is there and is no socket", "may become a file of ours"
	for _, c := range []struct{ name, path, problem string }{
		{"a socket", "live.sock", ""},
		{"nothing there", "x", ""},
		{"nothing in data_dir", "data/lmtp.sock", ""},
		{"admin's", "data/admin.sock", same},
		{"admin's by a link", "link/admin.sock", same},
		{"the ledger by a link", "link/ledger.db", may},
		{"a day by a link", "link/hits-20261124.db", may},
		{"a certificate", filepath.Base(cert), is},
		{"a key by dots", "data/../" + filepath.Base(key), is},
		{"a folder", "data", is},
		{"a link to a socket", "alias.sock", is},
		{"the zone by a link", "link/zone/x.sock", "lies in zone.dir"},
	} {
		t.Run(c.name, func(t *testing.T) {
			faults := faultsOf(t, base+"[[listen]]\nprotocol = 'lmtp'\naddress = 'unix:"+at(c.path)+"'\n")
			if c.problem == "" && len(faults) == 0 {
				return
			}
			if len(faults) != 1 || c.problem == "" || !strings.Contains(faults[0].Problem, c.problem) {
				t.Fatalf("got %v, want one with %q", faults, c.problem)
			}
		})
	}
	for _, path := range []string{cert, at("data/ledger.db"), at("link/engine.snapshot")} {
		if faults := faultsOf(t, base+"[admin]\nsocket = '"+path+"'\n"); len(faults) != 1 ||
			faults[0].Key != "admin.socket" {
			t.Errorf("%s: got %v, want one of admin.socket", path, faults)
		}
	}
}
