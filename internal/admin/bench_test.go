package admin

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// BenchmarkImport is a list of 10,000 networks, about what a country's mail servers take, imported
// into an empty ledger and then once more.
func BenchmarkImport(b *testing.B) {
	const networks = 10_000
	list := importOf("bench")
	for i := range networks {
		list.Networks = append(list.Networks, ImportedNetwork{
			netip.PrefixFrom(netip.AddrFrom4([4]byte{100, byte(i >> 8), byte(i), 0}), 24), "known servers"})
	}
	for b.Loop() {
		o := newOffice(b)
		for _, want := range []int{0, networks} {
			done, err := o.Import(b.Context(), "tester", list)
			if err != nil || done.Kept != want {
				b.Fatal(fmt.Sprint(done.Kept), err)
			}
		}
	}
}

// BenchmarkTrapStats surveys 200,000 hits of 20,000 sources, a fifth of them on addresses that come
// once only.
func BenchmarkTrapStats(b *testing.B) {
	const hits, batch = 200_000, 1000
	o := newOffice(b)
	o.Roster = rosterOfTests
	random := rand.New(rand.NewPCG(1, 2))
	for n := range hits / batch {
		records := make([]*store.Record, batch)
		for i := range records {
			to := fmt.Sprintf("t%d@traps.example", random.IntN(50))
			if i%5 == 0 {
				to = fmt.Sprintf("made-up-%d-%d@traps.example", n, i)
			}
			r := &store.Record{Hit: criteria.Hit{Time: criteria.At(o.now()), Traps: []string{to}, Weight: criteria.One,
				Source: netip.AddrFrom4([4]byte{198, 51, byte(random.IntN(80)), byte(random.IntN(250))})},
				Recipients: []store.Recipient{{Address: to, State: "active", Weight: criteria.One}}}
			binary.BigEndian.PutUint64(r.Digest[:], uint64(n*batch+i+1))
			records[i] = r
		}
		if err := o.Store.Append(b.Context(), records...); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		stats, err := o.TrapStats(b.Context(), TrapFilter{Top: 50})
		if err != nil || stats[0].Hits != hits || len(stats) != 53 {
			b.Fatal(stats[0].Hits, len(stats), err)
		}
	}
	b.ReportMetric(float64(hits)*float64(b.N)/b.Elapsed().Seconds(), "hits/s")
}
