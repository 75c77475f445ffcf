package dispute

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

// TestRandomEvents: whatever happens in whatever order, no listing has two open disputes, none with a TXT gives way,
// nothing is removed of which nobody has proven control by TXT, and a restart changes nothing.
func TestRandomEvents(t *testing.T) {
	happened := map[string]int{}
	for seed := range uint64(120) {
		g := &gamble{court: newCourt(t), rand: rand.New(rand.NewPCG(7, seed)),
			proven: map[string]bool{}, happened: happened}
		g.self = g.chance(2)
		for range 80 {
			g.event()
			g.check()
			if t.Failed() {
				t.Fatalf("seed %d: %s", seed, g.acts())
			}
		}
		g.sameAfterRestart()
	}
	for _, d := range []string{"opened", "proved", "reread", "uncount", "accepted", "rejected",
		"removed", "moot", "expired", "delist", "except"} {
		if happened[d] < 5 {
			t.Errorf("%s happened %d times in all", d, happened[d])
		}
	}
	t.Log(happened)
}

// gamble is a court in which anything may happen.
type gamble struct {
	*court
	rand     *rand.Rand
	ids      []string
	seen     int             // decisions that were checked
	proven   map[string]bool // ids of which a token stood in the DNS when it was looked for
	happened map[string]int
}

func (g *gamble) chance(one int) bool { return g.rand.IntN(one) == 0 }

func (g *gamble) pick(of ...string) string { return of[g.rand.IntN(len(of))] }

// gambled are addresses of few listings, two of them of the same one.
var gambled = []string{ours, six, "2001:db8:1:2::26", "198.51.100.8"}

func (g *gamble) event() {
	ctx, id, peer := g.Context(), "aaaaaaaaaaaaaaaa", g.pick(append(gambled, elsewhere)...)
	if len(g.ids) > 0 {
		id = g.ids[g.rand.IntN(len(g.ids))]
	}
	switch g.rand.IntN(12) {
	case 0, 1, 2:
		f := filled(g.pick(gambled...), peer)
		f.Claim = Claim(g.pick(string(Technical), string(Mail), string(Fixed)))
		if k, err := g.File(ctx, f); err == nil {
			g.ids = append(g.ids, k.ID)
		}
	case 3:
		if _, ok := g.Challenge(id); ok {
			g.publish(id)
		}
	case 4:
		clear(g.dns)
	case 5:
		if g.chance(2) {
			g.forward(checkEvery)
			g.publish2(id)
		}
		g.note(id)
		_, _ = g.Prove(ctx, id, netip.MustParseAddr(peer))
	case 6:
		g.note(id)
		_, _ = g.Remove(ctx, id)
	case 7:
		_, _, _ = g.Accept(ctx, "uid 0", id, "yes", Remedy{Delist: g.chance(2), Except: g.chance(3),
			UncountAll: g.chance(3)})
	case 8:
		if g.chance(2) {
			_, _ = g.Reject(ctx, "uid 0", id, "no")
		}
	case 9:
		g.world()
	case 10:
		g.forward(time.Duration(g.rand.IntN(5)) * 12 * time.Hour)
	case 11:
		g.tick()
	}
	if g.chance(20) {
		g.restart()
	}
}

// world is what happens without anybody's doing: mail comes, listings end.
func (g *gamble) world() {
	n := unit(g.pick(gambled...))
	lsn := uint64(len(g.decisions)+2) * 1000
	g.hits[n] = append(g.hits[n], lsn, lsn+1)
	g.readings[lsn] = []Reading{same, another, nobody, nothing}[g.rand.IntN(4)]
	g.ended[n] = g.chance(4)
}

// note says of which dispute control can be proven just now.
func (g *gamble) note(id string) {
	k, ok := g.Find(id)
	if !ok {
		return
	}
	for _, record := range g.dns[nameOf(k.Subject.Prefix)] {
		g.proven[id] = g.proven[id] || g.tokens.proves(record, &k, g.now())
	}
}

func (g *gamble) check() {
	open := map[criteria.Source]string{}
	for _, k := range g.Cases() {
		if other := open[k.Subject]; k.State == Open && other != "" {
			g.Errorf("%s has two open disputes, %s and %s", k.Subject, k.ID, other)
		}
		if k.State == Expired && k.proven(ByTXT) {
			g.Errorf("%s gave way, in spite of its TXT", k.ID)
		}
		if k.State == Open {
			open[k.Subject] = k.ID
		}
	}
	for _, d := range g.decisions[g.seen:] {
		word := string(d.Act)
		if d.Dispute != nil {
			word = string(d.Dispute.Step)
		}
		g.happened[word]++
		removes := d.Act == criteria.ActDelist || d.Act == criteria.ActExcept
		if removes && !g.proven[d.Name] {
			g.Errorf("removed without a proof: %s", fmt.Sprint(d))
		}
	}
	g.seen = len(g.decisions)
}
