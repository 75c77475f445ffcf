package main

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// memory is what of the daemon is in memory, in bytes.
func (d *server) memory() float64 {
	d.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.Skip("needs /proc: ", err)
	}
	var kib float64
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	if _, err := fmt.Sscan(after, &kib); err != nil {
		d.Fatal(err)
	}
	return kib * 1024
}

// BenchmarkSources lists a hundred thousand sources, each by two messages that come with a PROXY
// header, and reports what the daemon holds in memory before, after, and after a restart.
func BenchmarkSources(b *testing.B) {
	const sources = 100_000
	s := newSite(b, build(b), "")
	for b.Loop() {
		d := s.serve()
		b.ReportMetric(d.memory()/1e6, "MB-empty")
		begin := time.Now()
		d.bringFromAll(sources)
		b.ReportMetric(2*sources/time.Since(begin).Seconds(), "msg/s")
		d.awaitEntries(sources)
		b.ReportMetric(d.memory()/1e6, "MB-fed")
		if code := d.stop(); code != exitDone {
			b.Fatalf("exit %d", code)
		}
		d = s.serve()
		d.awaitEntries(sources)
		b.ReportMetric(d.memory()/1e6, "MB-restarted")
		d.kill()
	}
}

// awaitEntries waits until so many sources are published.
func (d *server) awaitEntries(sources int) {
	d.Helper()
	testpeer.Eventually(d, patience, "the listings in the zone", func() bool {
		all := records[admin.Stats](d.site, "stats")
		return len(all) == 1 && all[0].Zone.Entries == sources
	})
}

// bringFromAll brings two messages from each of so many sources.
func (d *server) bringFromAll(sources int) {
	d.Helper()
	const clients = 32
	var next atomic.Int64
	var all errgroup.Group
	for range clients {
		all.Go(func() error {
			for n := next.Add(1); n <= int64(sources); n = next.Add(1) {
				if err := d.bringTwo(int(n)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		d.Fatal(err)
	}
}

// bringTwo brings two messages in one session from the source of a number.
func (d *server) bringTwo(n int) error {
	c, err := dial(d.proxy, netip.AddrFrom4([4]byte{20, byte(n >> 16), byte(n >> 8), byte(n)}))
	if err != nil {
		return err
	}
	defer c.leave()
	for _, to := range []string{"one@traps.example", "two@traps.example"} {
		if err := c.send(strconv.Itoa(n), to); err != nil {
			return err
		}
	}
	return nil
}
