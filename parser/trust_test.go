package parser

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// chainForms are lines that chains are made of, by a NAME and with a PEER.
var chainForms = []string{
	"from h.example (r.example [PEER]) by NAME (Postfix) with ESMTP id A",
	"from h.example (IDENT:u@r.example [PEER]) by NAME (8.17.1/8.17.1) with ESMTP id A",
	"from r.example ([PEER]:25 helo=h) by NAME with esmtp (Exim 4.96) id A",
	"from [PEER] (helo=h) by NAME with esmtp (Exim 4.96) id A",
	"from r.example (HELO h) (i@PEER) by NAME with SMTP",
	"from h.example (PEER) by NAME (192.0.2.1) with Microsoft SMTP Server id 15.1",
	"from h.example (r.example [PEER]) by NAME with ESMTP id A",
	"from h.example by NAME with something nobody knows",
	"by NAME (Postfix, from userid 33) id A",
	"(qmail 1 invoked from network)",
	"from h.example [PEER] by NAME with POP3 (fetchmail-6.4.37)",
}

// The hosts of the chains. Few, so that chains meet them again.
var chainHosts = []string{"192.0.2.1", "192.0.2.2", "198.51.100.3", "198.51.100.4", "203.0.113.5",
	"2001:db8::6", "127.0.0.1", "10.0.0.8"}

func chainHost(r *rand.Rand) netip.Addr {
	return netip.MustParseAddr(chainHosts[r.IntN(len(chainHosts))])
}

func chainName(r *rand.Rand) string { return fmt.Sprintf("n%d.example", r.IntN(4)) }

// randomChain makes a header, forged or not.
func randomChain(r *rand.Rand) []byte {
	var b strings.Builder
	for range r.IntN(7) {
		line := strings.NewReplacer("NAME", chainName(r), "PEER", chainHost(r).String()).
			Replace(chainForms[r.IntN(len(chainForms))])
		b.WriteString("Received: " + line + dateClause + "\n")
	}
	return []byte(b.String() + "\nbody\n")
}

// moreTrust vouches for more than t does.
func moreTrust(r *rand.Rand, t Trust) Trust {
	t.Relays, t.Hosts = slices.Clone(t.Relays), slices.Clone(t.Hosts)
	for range r.IntN(3) {
		ip := chainHost(r)
		relay := TrustedRelay{Network: netip.PrefixFrom(ip, ip.BitLen())}
		for range r.IntN(3) {
			relay.By = append(relay.By, chainName(r))
		}
		t.Relays = append(t.Relays, relay)
	}
	for range r.IntN(2) {
		t.Hosts = append(t.Hosts, chainName(r))
	}
	t.Loopback = t.Loopback || r.IntN(4) == 0
	t.LocalSubmission = t.LocalSubmission || r.IntN(4) == 0
	return t
}

// vouches tells whether the trust names an address, as a relay's or as a loopback.
func vouches(t *Trust, ip netip.Addr) bool {
	return ip.IsLoopback() && t.Loopback || slices.ContainsFunc(t.Relays,
		func(relay TrustedRelay) bool { return relay.Network.Contains(ip) })
}

// TestTrust: the walk goes past what is vouched for and no further, and with more trust it goes on
// only through hosts that the added trust names.
func TestTrust(t *testing.T) {
	sources := 0
	for seed := range uint64(20000) {
		sources += checkTrust(t, seed)
	}
	if sources < 3000 {
		t.Errorf("only %d of the chains have a source", sources)
	}
	t.Logf("%d of 20000 chains have a source", sources)
}

func FuzzTrust(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { checkTrust(t, seed) })
}

// checkTrust walks one chain with little and with more trust. It gives 1 if that found a source.
func checkTrust(t *testing.T, seed uint64) int {
	t.Helper()
	r := rand.New(rand.NewPCG(2, seed))
	message := randomChain(r)
	little := moreTrust(r, Trust{})
	much := moreTrust(r, little)
	var c Connection
	if r.IntN(2) == 0 {
		c.Peer = chainHost(r)
	}
	before, after := Parse(message, c, little), Parse(message, c, much)
	for _, fault := range []string{
		straying(&before, &little), straying(&after, &much), leaping(&before, &after, &much),
	} {
		if fault != "" {
			t.Errorf("seed %d: %s\nbefore: %+v\nafter: %+v\n%s", seed, fault, before, after, message)
		}
	}
	if after.Source.IsValid() {
		return 1
	}
	return 0
}

// straying finds a hop that was walked past though nobody vouches for it, and a source that
// somebody vouches for or that is not the last hop: "" if there is none.
func straying(trace *Trace, trust *Trust) string {
	for i := range trace.Hops {
		hop := &trace.Hops[i]
		queue, user := hop.Why == noteQueued, hop.Why == noteLocal && trust.LocalSubmission
		switch {
		case hop.Trusted && !queue && !user && !vouches(trust, hop.IP):
			return fmt.Sprintf("hop %d is trusted by nobody", i)
		case !hop.Trusted && i != len(trace.Hops)-1:
			return fmt.Sprintf("hop %d is below a stranger", i+1)
		}
	}
	if !trace.Source.IsValid() {
		return ""
	}
	if last := trace.Hops[len(trace.Hops)-1]; last.IP != trace.Source || last.Trusted ||
		vouches(trust, trace.Source) {
		return "the source is not the first stranger"
	}
	return ""
}

// leaping finds a change that more trust must not make: to a source that it does not vouch for, or
// to hops above the place where the walk had stopped.
func leaping(before, after *Trace, much *Trust) string {
	stopped := len(before.Hops) - 1
	switch {
	case before.Source.IsValid() && !vouches(much, before.Source) && after.Source != before.Source:
		return "a source changed that nobody vouches for"
	case len(after.Hops) < len(before.Hops):
		return "more trust, fewer hops"
	}
	for i := range stopped {
		if after.Hops[i].IP != before.Hops[i].IP || !after.Hops[i].Trusted {
			return fmt.Sprintf("hop %d changed", i)
		}
	}
	return ""
}
