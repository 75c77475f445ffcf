package feed

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/trapline/trapline/internal/testpeer"
)

// TestRealQueries asks rbldnsd on this machine, and reads what it logs.
func TestRealQueries(t *testing.T) {
	rbldnsd := testpeer.Need(t, "rbldnsd", "rbldnsd")
	args := testpeer.Unprivileged(t)
	dir := testpeer.OpenFolder(t)
	log := filepath.Join(dir, "log")
	for name, text := range map[string]string{log: "", filepath.Join(dir, "zone"): "$SOA 60 " +
		"a.example b.example 1 600 300 86400 60\n$DATASET ip4trie @\n:2:x\n198.51.100.7\n"} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(log, 0o666); err != nil { // whatever our umask
		t.Fatal(err)
	}
	port := testpeer.Port(t)
	testpeer.Start(t, rbldnsd, append(args, "-n", "-w", dir, "-b", fmt.Sprintf("127.0.0.1/%d", port),
		"-l", "+log", "bl.example:combined:zone")...)
	ask := func(name string, kind uint16) bool {
		c := dns.Client{Timeout: time.Second}
		_, _, err := c.Exchange(new(dns.Msg).SetQuestion(name, kind), fmt.Sprintf("127.0.0.1:%d", port))
		return err == nil
	}
	testpeer.Eventually(t, 20*time.Second, "rbldnsd to answer", func() bool {
		return ask("bl.example.", dns.TypeSOA)
	})
	v6 := spelled(netip.MustParseAddr("2001:db8::7"))
	for _, name := range []string{"7.100.51.198", "9.100.51.198", "7.100.51.198", "1.0.0.10", v6,
		strings.ToUpper(v6), `evil\032x`, `\000\010\255`, "7.100.51"} {
		if !ask(name+".BL.example.", dns.TypeA) {
			t.Errorf("no answer about %s", name)
		}
	}
	written, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = written.Close() }() // it was only read
	start := time.Now()
	o := PointOptions{Path: log, Now: start, Origin: "bl.example",
		Clients: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	counts, stats, err := Points(written, o)
	if err != nil || stats.Format != QueryLog {
		t.Fatalf("read as %q: %v", stats.Format, err)
	}
	checkSums(t, stats)
	got := map[string]int64{}
	for _, c := range counts {
		got[c.Address.String()] += c.Points
	}
	// On the hour, the one that was asked for twice may get two.
	want := map[string]int64{"198.51.100.7": max(1, got["198.51.100.7"]), "198.51.100.9": 1,
		"2001:db8::7": max(1, got["2001:db8::7"])}
	if diff := cmp.Diff(want, got); diff != "" || stats.Skipped[Unreadable] > 0 {
		t.Errorf("%v: %s", stats, diff)
	}
}

// TestNaively compares random logs with what a set of all that was ever asked would count.
func TestNaively(t *testing.T) {
	const logs, queries, names = 200, 300, 12
	for n := range logs {
		random := rand.New(rand.NewPCG(uint64(n), 0))
		var log strings.Builder
		at, want := 1795521718, map[string]int64{}
		asked := map[string]bool{}
		for range queries {
			at += random.IntN(20) * random.IntN(20) * random.IntN(20)
			client := resolvers[random.IntN(2)].Addr()
			a := netip.AddrFrom4([4]byte{198, 51, 100, byte(random.IntN(names))})
			fmt.Fprintf(&log, "%d %s %s.bl.example A IN: NXDOMAIN/0/91\n", at, client, spelled(a))
			if key := fmt.Sprint(at/3600, client, a); !asked[key] {
				asked[key] = true
				want[fmt.Sprintf("%s %s", time.Unix(int64(at), 0).UTC().Format(time.DateOnly), a)]++
			}
		}
		o := pointOptions(QueryLog)
		o.Now = time.Unix(int64(at), 0)
		got, _ := points(t, o, log.String())
		var wanted []string
		for _, key := range slices.Sorted(maps.Keys(want)) {
			wanted = append(wanted, fmt.Sprintf("%s %d", key, want[key]))
		}
		slices.Sort(got)
		slices.Sort(wanted)
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Fatalf("log %d: %s", n, diff)
		}
	}
}
