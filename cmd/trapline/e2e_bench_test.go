package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
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

// BenchmarkAgainstSMTPSink brings mail with smtp-source to the daemon, which keeps each message,
// and to smtp-sink, which drops it: by turns, as the machine may have other things to do. Medians
// of the rounds are reported; ratio is the daemon's rate by that of smtp-sink.
func BenchmarkAgainstSMTPSink(b *testing.B) {
	binary := build(b)
	for name, options := range map[string][]string{
		"kept connections":       {"-d"},
		"a connection a message": nil,
	} {
		b.Run(name, func(b *testing.B) {
			d := newSite(b, binary, "").serve()
			sink := startSink(b)
			for b.Loop() {
				compare(b, d, sink, options)
			}
		})
	}
}

const (
	rounds   = 3
	messages = 10_000 // a round
)

// compare reports what the rounds came to.
func compare(b *testing.B, d *server, sink string, options []string) {
	b.Helper()
	var own, sinks, ratios, cpu []float64
	for range rounds {
		before := d.cpu()
		rate := bringMany(b, d.mail, options)
		own, cpu = append(own, rate), append(cpu, (d.cpu()-before).Seconds()/messages*1e6)
		sinks = append(sinks, bringMany(b, sink, options))
		ratios = append(ratios, rate/sinks[len(sinks)-1])
	}
	b.ReportMetric(median(own), "msg/s")
	b.ReportMetric(median(sinks), "sink-msg/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(cpu), "cpu-µs/msg")
}

// bringMany gives the rate, in messages a second, at which smtp-source got rid of its mail.
func bringMany(b *testing.B, address string, options []string) float64 {
	b.Helper()
	args := append([]string{"-s", "20", "-m", strconv.Itoa(messages), "-l", "4096",
		"-t", "one@traps.example", "-4"}, options...)
	cmd := exec.Command(testpeer.Need(b, "smtp-source", "postfix"), append(args, address)...)
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("smtp-source: %v\n%s", err, out)
	}
	return messages / time.Since(begin).Seconds()
}

func startSink(b *testing.B) string {
	b.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", testpeer.Port(b))
	testpeer.Start(b, testpeer.Need(b, "smtp-sink", "postfix"),
		append(testpeer.Unprivileged(b), address, "1000")...)
	testpeer.Eventually(b, patience, "smtp-sink", func() bool { return !closed(address) })
	return address
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// cpu is how long the daemon has computed so far, itself and the kernel for it.
func (d *server) cpu() time.Duration {
	d.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		d.Skip("needs /proc: ", err)
	}
	// Behind the name in parentheses (proc_pid_stat(5)): utime and stime are fields 14 and 15.
	fields := strings.Fields(string(text[strings.LastIndex(string(text), ")")+1:]))
	const tick = time.Second / 100
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			d.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick
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
