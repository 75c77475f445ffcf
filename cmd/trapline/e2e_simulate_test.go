package main

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// testStopDuringSimulation: a simulation that would take long holds nothing up when the daemon is told
// to end, and whoever asked for it hears why there is no answer.
func testStopDuringSimulation(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	s.fill(20_000)
	d := s.serve()
	trial := admin.Simulation{To: criteria.At(time.Now()) + 3600}
	for i := range 100 {
		p := criteria.DefaultPolicy()
		p.Threshold = criteria.Micro(i+1) * criteria.One
		trial.Policies = append(trial.Policies, p)
	}
	client := admin.NewClient(s.path("data/admin.sock"))
	defer client.Close()
	told, compared, cut := false, 0, error(nil)
	for line, err := range client.Simulate(t.Context(), trial) {
		if err != nil {
			cut = err
			break
		}
		if line.Comparison != nil {
			compared++
		}
		if !told { // it is under way
			told = true
			d.signal(syscall.SIGTERM)
		}
	}
	if !told {
		t.Fatalf("it did not begin: %v", cut)
	}
	if code := d.exit(); code != exitDone || cut == nil || compared == len(trial.Policies) {
		t.Errorf("exit %d, %d policies compared, cut off with %v", code, compared, cut)
	}
}

// fill gives a site that is not served yet a log of so many hits of the last hours.
func (s *site) fill(hits int) {
	s.Helper()
	log, err := store.Open(store.Config{Dir: s.path("data")})
	if err != nil {
		s.Fatal(err)
	}
	log.Begin()
	p := criteria.DefaultPolicy()
	if err := log.Decide(s.Context(), criteria.Decision{Act: criteria.ActPolicy, Policy: &p}); err != nil {
		s.Fatal(err)
	}
	now := criteria.At(time.Now())
	records := make([]*store.Record, hits)
	for i := range records {
		records[i] = &store.Record{Reason: "untrusted-peer", Hit: criteria.Hit{Weight: criteria.One,
			Time: now - criteria.Second(i%3600), Cause: parser.Direct,
			Source: netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}),
			Traps:  []string{fmt.Sprintf("t%d@traps.example", i%7)},
			Digest: criteria.Digest{byte(i), byte(i >> 8), byte(i >> 16), 1}}}
	}
	for batch := range slices.Chunk(records, 1000) {
		if err := log.Append(s.Context(), batch...); err != nil {
			s.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		s.Fatal(err)
	}
}
