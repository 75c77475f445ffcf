package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/internal/config"
)

// typist is an app with a person at its terminal, who types the lines given.
func typist(lines ...string) (*app, *bytes.Buffer) {
	var out bytes.Buffer
	return &app{stdin: strings.NewReader(strings.Join(lines, "\n")), stdout: &out, stderr: &out,
		dialogue: true, own: func() []netip.Addr { return nil }, dns: &net.Resolver{},
		now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}, &out
}

// TestInterview: what is answered is written, an empty answer is the one in brackets, a wrong one is
// asked again, and what a flag has said is not asked.
func TestInterview(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trapline.toml")
	a, out := typist("no domain!", "old.example", "", ":25", "other", "recycled", "/srv/traps", "", "")
	code := a.run([]string{"init", "--config", path, "--no-dns", "--contact", "noc.old.example"})
	if code != exitDone {
		t.Fatal(code, out)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	trap := c.Traps[0]
	if c.Hostname != "mx.old.example" || trap.Domain != "old.example" || trap.Kind != config.Recycled ||
		trap.ActiveFrom.Year() != 2027 || c.Listen[0].Address.String() != ":25" ||
		c.DataDir != "/srv/traps" || c.Zone.Contact != "noc.old.example" || c.Web.BaseURL != "" {
		t.Errorf("wrote %+v", c)
	}
	for text, times := range map[string]int{"[traps.example]: ": 2, "[mx.old.example]: ": 1,
		"[pristine]: ": 2, "who keeps the zone": 0, "is not a DNS name": 1, "is not a kind": 1} {
		if got := strings.Count(out.String(), text); got != times {
			t.Errorf("%q %d times, want %d:\n%s", text, got, times, out)
		}
	}
}

// TestInterviewCutOff: whoever goes away has written nothing.
func TestInterviewCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trapline.toml")
	a, out := typist("old.example")
	if code := a.run([]string{"init", "--config", path}); code != exitFailed ||
		!strings.Contains(out.String(), "nothing is written") {
		t.Error(code, out)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("wrote half of it", err)
	}
}

// TestNoInterview: --yes and --json ask nothing.
func TestNoInterview(t *testing.T) {
	for _, flag := range []string{"--yes", "--json"} {
		path := filepath.Join(t.TempDir(), "trapline.toml")
		a, out := typist()
		a.stdin = unread{t}
		if code := a.run([]string{"init", "--config", path, flag, "--no-dns"}); code != exitDone {
			t.Error(flag, code, out)
		}
	}
}

// unread must not be read.
type unread struct{ t *testing.T }

func (r unread) Read([]byte) (int, error) {
	r.t.Error("asked")
	return 0, io.EOF
}

// TestPort: what the sockets of a machine tell.
func TestPort(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	tests := []struct {
		name, network, address, want string
	}{
		{"taken", "tcp4", taken.Addr().String(), "is in use"},
		{"free, and not 25", "tcp4", "127.0.0.1:0", "is free, but mail from the world comes to port 25"},
		{"not of this machine", "tcp4", "198.51.100.7:25", "cannot be opened"},
		{"systemd's", "fd", "smtp", "opened by others"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := portOf(config.Listen{Address: config.Address{Network: tt.network, Name: tt.address}})
			if !strings.Contains(f.Text, tt.want) {
				t.Errorf("got %+v", f)
			}
		})
	}
}
