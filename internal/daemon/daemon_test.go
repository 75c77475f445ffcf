package daemon

import (
	"context"
	"fmt"
	"io"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/internal/testpeer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take on a machine that has other things to do.
const patience = 60 * time.Second

// clock is a time that stands still until it is moved.
type clock struct{ nanoseconds atomic.Int64 }

func (c *clock) now() time.Time             { return time.Unix(0, c.nanoseconds.Load()) }
func (c *clock) forward(span time.Duration) { c.nanoseconds.Add(int64(span)) }

// stand is a daemon in this process, with a clock of its own.
type stand struct {
	testing.TB
	*clock
	dir    string
	mail   string // where it takes mail
	events *ops.Events
}

// text is the configuration of a stand: with a relay, so that mail from loopback has a source.
const text = `
hostname = "mx.traps.example"
data_dir = %q

[limits]
free_bytes = 0

[[listen]]
address = "127.0.0.1:0"
tls = "off"

[[trap]]
domain = "traps.example"

[[trust.relay]]
network = "127.0.0.1/32"
by = ["backup.traps.example"]

[zone]
min_interval = "1s"
%s
[web]
address = ""
[ops]
address = ""
`

// newStand starts a daemon, with more keys of [zone] where a test wants them, which the test's cleanup stops.
func newStand(t testing.TB, now time.Time, zoneKeys ...string) *stand {
	t.Helper()
	s := &stand{TB: t, clock: new(clock), dir: t.TempDir(), events: ops.New(zerolog.New(io.Discard))}
	s.forward(now.Sub(time.Unix(0, 0)))
	path := filepath.Join(s.dir, "trapline.toml")
	if err := os.WriteFile(path, fmt.Appendf(nil, text, s.dir, strings.Join(zoneKeys, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan map[string]string, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, c, Options{Events: s.events, Now: s.now,
			Ready: func(listeners map[string]string, _ string) { ready <- listeners }, Drain: patience})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case listeners := <-ready:
		s.mail = listeners["mail 1"]
	case err := <-ended:
		ended <- nil
		t.Fatalf("run: %v", err)
	}
	client := admin.NewClient(filepath.Join(s.dir, "admin.sock"))
	defer client.Close()
	testpeer.Eventually(t, patience, "a judge that has read the log", func() bool {
		_, err := client.Listings(admin.ListingFilter{})
		return err == nil
	})
	return s
}

// bring sends a message that a source gave to our backup.
func (s *stand) bring(source, to string) {
	s.Helper()
	message := fmt.Appendf(nil, "Received: from x (x [%s])\r\n\tby backup.traps.example (Postfix) "+
		"with ESMTP id 4F0\r\n\tfor <%s>; Tue, 24 Nov 2026 09:00:00 +0000\r\n"+
		"Subject: offer\r\n\r\nBuy.\r\n", source, to)
	if err := smtp.SendMail(s.mail, nil, "a@sender.example", []string{to}, message); err != nil {
		s.Fatal(err)
	}
}

// listings asks as the command line does.
func (s *stand) listings() []admin.Listing {
	s.Helper()
	client := admin.NewClient(filepath.Join(s.dir, "admin.sock"))
	defer client.Close()
	all, err := client.Listings(admin.ListingFilter{})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// zone is the published file.
func (s *stand) zone() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "zone/bl.mx.traps.example")) // "" until it is there
	return string(text)
}

// TestListingEndsByTheClock follows a source through the whole daemon: hit, listed, published, and
// after twelve silent hours gone from both, with nobody asking.
func TestListingEndsByTheClock(t *testing.T) {
	const source, line = "198.51.100.7", "\n198.51.100.7\n"
	s := newStand(t, time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	s.bring(source, "one@traps.example")
	s.bring(source, "two@traps.example")
	testpeer.Eventually(t, patience, "the listing in the zone", func() bool {
		return strings.Contains(s.zone(), line)
	})
	all := s.listings()
	if len(all) != 1 || all[0].Until.Time() != s.now().Add(12*time.Hour).UTC() {
		t.Errorf("listings %+v, want one of %s until twelve hours from now", all, source)
	}
	s.forward(12*time.Hour - time.Second)
	s.bring("198.51.100.8", "one@traps.example") // so that the daemon has seen this second
	if all := s.listings(); len(all) != 1 {
		t.Errorf("listings a second before the end: %+v", all)
	}
	s.forward(time.Second)
	testpeer.Eventually(t, patience, "the end of the listing in the zone", func() bool {
		return !strings.Contains(s.zone(), line) && s.zone() != ""
	})
	if all := s.listings(); len(all) != 0 {
		t.Errorf("listings after the end: %+v", all)
	}
}
