package criteria

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/trapline/trapline/parser"
)

// A sender with a /64 has as many hosts as he likes. His flood of one trap from ever new ones pushes
// none of the hits out that count against him.
func TestRotatingHostsPushNothingOut(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	hits := 0
	hit := func(trap string, host uint64) {
		hits++
		at := start + Second(hits/10)
		h := Hit{LSN: uint64(hits), Stamp: at, Time: at, Traps: []string{trap}, Weight: One,
			Source: hostIn("2001:db8::", host), Cause: parser.Direct}
		binary.BigEndian.PutUint64(h.Digest[:], h.LSN)
		e.Hit(h)
	}
	for host := range uint64(5) {
		for _, trap := range []string{"b@traps.example", "c@other.example", "d@third.example"} {
			hit(trap, host)
		}
	}
	for host := range uint64(9000) {
		hit("a@traps.example", 1000+host)
	}
	v := e.Lookup(hostIn("2001:db8::", 1)).Verdict
	if !v.Listed || v.Reports != 20 || v.Traps != 4 {
		t.Errorf("listed %v, %d reports, %d traps: %s", v.Listed, v.Reports, v.Traps, v.Why)
	}
}

// hostIn gives an address of a /64 by the number of its host.
func hostIn(network string, host uint64) netip.Addr {
	b := netip.MustParseAddr(network).As16()
	binary.BigEndian.PutUint64(b[8:], host)
	return netip.AddrFrom16(b)
}
