package admin

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// catch has a message of a source, "" for nobody, come to traps.
func (o *office) catch(source string, cause criteria.Cause, traps ...string) {
	o.Helper()
	o.sent++
	r := &store.Record{Hit: criteria.Hit{Time: criteria.At(o.now()), Traps: traps, Weight: criteria.One,
		Cause: cause, Digest: criteria.Digest{o.sent}}}
	if source != "" {
		r.Source = netip.MustParseAddr(source)
	}
	for _, to := range traps {
		r.Recipients = append(r.Recipients, store.Recipient{Address: to, Kind: "pristine", State: "active",
			Weight: criteria.One})
	}
	if err := o.Store.Append(o.Context(), r); err != nil {
		o.Fatal(err)
	}
}

// pass lets seconds pass, and waits until the log has seen them.
func (o *office) pass(seconds int64) {
	o.Helper()
	o.seconds.Add(seconds)
	o.followMail()
}

func (o *office) live(f PulseFilter) Live {
	o.Helper()
	l, err := o.Live(o.Context(), f)
	if err != nil {
		o.Fatal(err)
	}
	return l
}

// TestPulse counts what came in a minute, and in no other.
func TestPulse(t *testing.T) {
	const one, two, six = "198.51.100.7", "198.51.100.8", "2001:db8::1"
	o := newOffice(t)
	o.catch(one, parser.Direct, "early@traps.example")
	o.pass(60) // the first hit is out
	o.catch(one, parser.Direct, "one@traps.example")
	o.catch(one, parser.Direct, "two@traps.example")
	o.pass(10)
	o.catch("", parser.Unknown, "one@traps.example")
	o.catch(two, parser.Relay, "one@traps.example", "two@traps.example")
	o.catch(six, parser.Bounce, "one@traps.example")
	if err := o.Store.Append(t.Context(), &store.Record{Inbox: true}); err != nil {
		t.Fatal(err)
	}
	o.pass(49)
	got := o.live(PulseFilter{Span: time.Minute, Top: 2, ShowTraps: true})
	series := make([]uint64, beats)
	series[0], series[10] = 2, 4
	want := Live{Pulse: Pulse{At: criteria.At(o.now()), Span: 60, Hits: 6, Series: series, Read: 6,
		Kinds:        map[string]int{"trap": 5, "inbox": 1},
		Causes:       map[criteria.Cause]int{parser.Direct: 2, parser.Unknown: 1, parser.Relay: 1, parser.Bounce: 1},
		Unattributed: 1, SourceCount: 3,
		Sources: []BusySource{{sourceOf(one), 2, criteria.Spam}, {sourceOf(two), 1, criteria.Unlisted}},
		Traps:   []BusyTrap{{"one@traps.example", 4}, {"two@traps.example", 2}}},
		Ready: true, Remembered: 3, Listed: 1, Storage: "ok"}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func sourceOf(a string) criteria.Source {
	addr := netip.MustParseAddr(a)
	return criteria.Source{Prefix: netip.PrefixFrom(addr, addr.BitLen())}
}

// TestPulseHidesTraps: without being asked for them it names no trap, and each by the same name as
// the hits do.
func TestPulseHidesTraps(t *testing.T) {
	o := newOffice(t)
	o.catch("198.51.100.7", parser.Direct, "one@traps.example")
	o.followMail()
	l := o.live(PulseFilter{Span: time.Hour, Top: 9})
	for h, err := range o.Hits(HitFilter{}) {
		if err != nil || len(l.Traps) != 1 || !slices.Equal(h.Traps, []string{l.Traps[0].Trap}) {
			t.Errorf("traps %v, the hit has %v, %v", l.Traps, h.Traps, err)
		}
	}
	if strings.Contains(fmt.Sprintf("%+v", l), "traps.example") {
		t.Errorf("a trap in %+v", l)
	}
}

// TestPulseOfManyHits: the number is of all, the rest of the newest.
func TestPulseOfManyHits(t *testing.T) {
	const all = mostRead + 500
	o := newOffice(t)
	for range all / 500 {
		batch := make([]*store.Record, 500)
		for i := range batch {
			o.sent++
			batch[i] = &store.Record{Hit: criteria.Hit{Time: criteria.At(o.now())}}
		}
		if err := o.Store.Append(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
	}
	o.followMail()
	start := time.Now()
	l := o.live(PulseFilter{Span: time.Minute, Top: 1})
	if l.Hits != all || l.Read != mostRead || l.Unattributed != mostRead || l.Series[beats-1] != all {
		t.Errorf("%d hits, %d read, %d unattributed", l.Hits, l.Read, l.Unattributed)
	}
	t.Logf("%d records read in %s", l.Read, time.Since(start))
}

// TestPulseByClient: over the socket it is the same, and nonsense is refused as such.
func TestPulseByClient(t *testing.T) {
	o := newOffice(t)
	o.catch("2001:db8::1", parser.Direct, "one@traps.example")
	o.followMail()
	client := o.door()
	f := PulseFilter{Span: time.Minute, Top: 3}
	got, err := client.Live(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	if diff := cmp.Diff(o.live(f), got, same); diff != "" {
		t.Error(diff)
	}
	for _, f := range []PulseFilter{{Span: time.Second}, {Span: 32 * 24 * time.Hour},
		{Span: time.Minute, Top: -1}, {Span: time.Minute, Top: MostTop + 1}} {
		if _, err := client.Live(t.Context(), f); !IsMisuse(err) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	for _, q := range []url.Values{{}, {"top": {"x"}, "span": {"1m"}}, {"top": {"1"}, "span": {"60"}}} {
		var l Live
		if err := client.ask(t.Context(), "GET", "live", q, nil, &l); !IsMisuse(err) {
			t.Errorf("%v: %v", q, err)
		}
	}
}

// TestPulseEndsWithItsAsker: who is gone is not read for.
func TestPulseEndsWithItsAsker(t *testing.T) {
	o := newOffice(t)
	o.catch("198.51.100.7", parser.Direct, "one@traps.example")
	o.followMail()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Pulse(ctx, PulseFilter{Span: time.Minute}); err == nil {
		t.Error("no error")
	}
}
