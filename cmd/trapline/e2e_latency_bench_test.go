package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/testpeer"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// How large the log is beside which BenchmarkLatency takes mail, and how it does.
var (
	latencyHits    = flag.Int("latency-hits", 1_000_000, "hits in the log of BenchmarkLatency")
	latencySources = flag.Int("latency-sources", 200_000, "sources in it, nearly all listed")
	latencyRate    = flag.Int("latency-rate", 200, "messages a second that come meanwhile")
	latencyFor     = flag.Duration("latency-for", 5*time.Second, "how long each kind of work lasts")
	latencyRounds  = flag.Int("latency-rounds", 3, "how often each kind comes by turns")
)

// works are what a daemon may be at while mail comes. Each is begun again and again until the
// context ends; a name that no verb has is left out.
var works = []struct {
	name string
	once func(l *latency, ctx context.Context, n int) error
}{
	{"nothing else", func(_ *latency, ctx context.Context, _ int) error { <-ctx.Done(); return nil }},
	{"criteria simulate over all", func(l *latency, ctx context.Context, _ int) error {
		return l.verb(ctx, "criteria", "simulate", "--set", "threshold=40", "--from", "9d", "--json")
	}},
	{"another policy", func(l *latency, ctx context.Context, n int) error {
		l.configure(fmt.Sprintf("[criteria]\nthreshold = %d\n", 26+n%2))
		return l.verb(ctx, "reload")
	}},
	{"the zone published", func(l *latency, ctx context.Context, n int) error {
		address := fmt.Sprintf("203.0.113.%d", n%250)
		return l.verb(ctx, "list", address, "--reason", "a test", "--for", "1h")
	}},
	{"backup", func(l *latency, ctx context.Context, n int) error {
		return l.verb(ctx, "backup", l.path(fmt.Sprintf("backup-%d", l.next())))
	}},
}

// latency is a daemon with a long log, to which mail comes steadily.
type latency struct {
	*server
	crowd *crowd
	done  int // of works, so that each is another
}

func (l *latency) next() int { l.done++; return l.done }

// BenchmarkLatency tells how long senders wait for their 250 while the daemon is at something else:
// by turns, and beside the same with nothing else.
func BenchmarkLatency(b *testing.B) {
	s := newSite(b, build(b), "")
	fillLog(b, s.path("data"))
	for b.Loop() {
		begin := time.Now()
		l := &latency{server: s.serve(), crowd: newCrowd("")}
		l.awaitEngine()
		b.Logf("start without a snapshot: %.1f s", time.Since(begin).Seconds())
		l.crowd.server = l.server
		l.crowd.come([]guest{{"steady", *latencyRate / 10, time.Second, l.bringSteadily}})
		took, times := l.watch(b)
		l.crowd.leave()
		if _, odd := l.crowd.total(); odd != nil {
			b.Error(odd)
		}
		report(b, took, times)
		l.kill()
	}
}

// watch does each work by turns, and gives what senders waited meanwhile and how long it took.
func (l *latency) watch(b *testing.B) (took []sample, times [][]time.Duration) {
	b.Helper()
	took, times = make([]sample, len(works)), make([][]time.Duration, len(works))
	for range *latencyRounds {
		for i, work := range works {
			if work.name == "backup" && l.run("backup", "--help").code != exitDone {
				continue
			}
			l.settle()
			l.crowd.latencies()
			ctx, stop := context.WithTimeout(b.Context(), *latencyFor)
			for ctx.Err() == nil {
				begin := time.Now()
				err := work.once(l, ctx, l.next())
				if err == nil {
					times[i] = append(times[i], time.Since(begin))
				} else if ctx.Err() == nil {
					b.Fatal(work.name, ": ", err)
				}
			}
			stop()
			took[i].took = append(took[i].took, l.crowd.latencies()...)
		}
	}
	return took, times
}

// settle waits until the daemon has nothing more to do than to take mail.
func (l *latency) settle() {
	l.Helper()
	testpeer.Eventually(l, patience, "the daemon to settle", func() bool {
		return l.run("zone", "diff").code == exitDone
	})
}

// verb runs a verb; the context ends it, except a reload, which is as well waited for.
func (l *latency) verb(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, l.binary, append(args, "--config", l.path("trapline.toml"))...)
	if args[0] == "reload" {
		cmd = l.command(args...)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %.200s", err, out.String())
	}
	return nil
}

// bringSteadily brings ten messages a second from one address, listed since its second, whatever
// the answers take.
func (l *latency) bringSteadily(c *crowd) error {
	call, err := c.greet(l.proxy, headerOf(1, netip.AddrPortFrom(netip.AddrFrom4([4]byte{
		198, 51, 100, byte(rand.IntN(100))}), 40000)))
	if err != nil {
		return err
	}
	defer func() { _ = call.Close() }()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			err := call.raw.SetDeadline(time.Now().Add(patience))
			if err = errors.Join(err, call.deliver("steady")); err != nil {
				return err
			}
		case <-c.ctx.Done():
			return nil
		}
	}
}

// report prints what the kinds of work came to, each beside the first.
func report(b *testing.B, took []sample, times [][]time.Duration) {
	b.Helper()
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "beside\tmessages\tp50 ms\tp99\tp99.9\tmost\tp50 x\tp99 x\tdone\ts each\t")
	alone, _ := quantiles(took[:1])
	for i, work := range works {
		ms, n := quantiles(took[i : i+1])
		if n == 0 {
			continue
		}
		each := "-"
		if i > 0 && len(times[i]) > 0 {
			each = fmt.Sprintf("%.2f", secondsOf(times[i]))
		}
		fmt.Fprintf(table, "%s\t%d\t%.2f\t%.1f\t%.1f\t%.0f\t%.1f\t%.1f\t%d\t%s\t\n", work.name, n,
			ms[0], ms[1], ms[2], ms[3], ms[0]/alone[0], ms[1]/alone[1], len(times[i]), each)
		b.ReportMetric(ms[1]/alone[1], strings.ReplaceAll(work.name, " ", "-")+"-p99-x")
	}
	_ = table.Flush()
	b.Logf("%d hits of %d sources\n%s", *latencyHits, *latencySources, text.String())
}

func secondsOf(times []time.Duration) float64 {
	var all []float64
	for _, t := range times {
		all = append(all, t.Seconds())
	}
	return median(all)
}

// fillLog makes a store whose hits came over five days up to an hour ago: the hits of a source to
// several traps, so that it is listed.
func fillLog(b *testing.B, dir string) {
	b.Helper()
	const batch = 1000
	step := 5 * 24 * time.Hour / time.Duration(max(1, *latencyHits/batch))
	now := time.Now().Add(-5*24*time.Hour - time.Hour)
	s, err := store.Open(store.Config{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	s.Begin()
	policy := criteria.DefaultPolicy()
	err = s.Decide(b.Context(),
		criteria.Decision{Act: criteria.ActPolicy, Who: "bench", Policy: &policy})
	for n := 0; n < *latencyHits && err == nil; n += batch {
		records := make([]*store.Record, batch)
		for i := range records {
			records[i] = oldHit(n+i, criteria.At(now))
		}
		err = s.Append(b.Context(), records...)
		now = now.Add(min(step, time.Hour-time.Second)) // more at once is a clock set wrong
	}
	if err := errors.Join(err, s.Close()); err != nil {
		b.Fatal(err)
	}
}

// oldHit is hit number n: sources in turn, as a botnet's.
func oldHit(n int, at criteria.Second) *store.Record {
	source := n % *latencySources
	address := netip.AddrFrom4([4]byte{byte(20 + source>>24), byte(source >> 16), byte(source >> 8),
		byte(source)})
	return &store.Record{Hit: criteria.Hit{Time: at, Source: address, Weight: criteria.One,
		Cause: parser.Direct, Traps: []string{trapOf(n%3 + n / *latencySources)},
		Digest: criteria.Digest{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}},
		Reason: "untrusted-peer", Helo: "mail.sender.example", MailFrom: "a@sender.example"}
}
