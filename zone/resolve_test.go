package zone

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/trapline/trapline/criteria"
)

func TestResolve(t *testing.T) {
	ended := listed("198.51.100.1", criteria.Spam)
	ended.Until = noon
	for _, c := range []struct {
		name   string
		in     []criteria.Listing
		except []criteria.Exception
		want   []string
		faults []string
	}{
		{name: "nothing"},
		{name: "sorted, IPv4 first, wide before narrow",
			in: spam("2001:db8:2::/64", "203.0.113.1", "2001:db8:1::/64", "9.0.0.1",
				"198.51.100.8/30", "198.51.100.8"),
			want: []string{"9.0.0.1", "198.51.100.8/30", "198.51.100.8", "203.0.113.1",
				"2001:db8:1::/64", "2001:db8:2::/64"}},
		{name: "ended at this second", in: []criteria.Listing{ended}},
		{name: "excepted address", in: spam("198.51.100.1", "198.51.100.2"),
			except: except("198.51.100.1"), want: []string{"198.51.100.2"}},
		{name: "excepted network around", in: spam("198.51.100.1", "203.0.113.1"),
			except: except("198.51.0.0/16"), want: []string{"203.0.113.1"}},
		{name: "an exception's host bits do not matter", in: spam("198.51.100.1"),
			except: except("198.51.100.77/24")},
		{name: "exception inside: the networks around it", in: spam("2001:db8::/64"),
			except: except("2001:db8:0:0:8000::/66"),
			want:   []string{"2001:db8::/65", "2001:db8:0:0:c000::/66"}},
		{name: "two exceptions inside, one in the other", in: spam("198.51.100.0/24"),
			except: except("198.51.100.0/25", "198.51.100.7", "198.51.100.192/26"),
			want:   []string{"198.51.100.128/26"}},
		{name: "exceptions that add up to the network", in: spam("198.51.100.0/24"),
			except: except("198.51.100.0/25", "198.51.100.128/25")},
		{name: "wider than /24", in: spam("198.51.100.0/23", "203.0.113.0/24"),
			want:   []string{"203.0.113.0/24"},
			faults: []string{"198.51.100.0/23"}},
		{name: "wider than /48", in: spam("2001:db8::/47", "2001:db8:4::/48"),
			want: []string{"2001:db8:4::/48"}, faults: []string{"2001:db8::/47"}},
		{name: "wide, made narrow by exceptions, is still not what was meant",
			in: spam("198.51.100.0/23"), except: except("198.51.101.0/24"),
			faults: []string{"198.51.100.0/23"}},
		{name: "special space", in: spam("10.1.2.3", "127.0.0.1", "127.0.0.2", "fe80::/64"),
			faults: []string{"10.1.2.3/32", "127.0.0.1/32", "127.0.0.2/32", "fe80::/64"}},
		{name: "mapped IPv4", in: spam("::ffff:198.51.100.7"),
			faults: []string{"::ffff:198.51.100.7/128"}},
		{name: "host bits", in: spam("198.51.100.7/24"), faults: []string{"198.51.100.7/24"}},
		{name: "no answer", in: []criteria.Listing{listed("198.51.100.7", criteria.Unlisted),
			listed("198.51.100.8", 9)}, faults: []string{"198.51.100.7/32", "198.51.100.8/32"}},
		{name: "no network", in: make([]criteria.Listing, 1), faults: []string{"invalid Prefix"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.in)
			got, faults := Resolve(c.in, c.except, special, noon)
			same(t, "networks", networks(got), c.want)
			var where []string
			for _, f := range faults {
				where = append(where, f.Where)
			}
			same(t, "faults", where, c.faults)
			same(t, "input", c.in, before)
		})
	}
}

func TestResolveEndedExceptionExceptsNothing(t *testing.T) {
	over := []criteria.Exception{{Network: network("198.51.100.0/24"), Until: noon}}
	got, _ := Resolve(spam("198.51.100.1"), over, special, noon)
	same(t, "networks", networks(got), []string{"198.51.100.1"})
}

func TestResolveOneAnswerPerNetwork(t *testing.T) {
	late := listed("198.51.100.1", criteria.Spam)
	late.Until++
	for _, c := range []struct {
		name string
		in   []criteria.Listing
		want []criteria.Listing
	}{
		{"the operator's stands",
			[]criteria.Listing{listed("198.51.100.1", criteria.Spam),
				listed("198.51.100.1", criteria.Operator)},
			[]criteria.Listing{listed("198.51.100.1", criteria.Operator)}},
		{"spam before backscatter",
			[]criteria.Listing{listed("198.51.100.1", criteria.Backscatter), late},
			[]criteria.Listing{late}},
		{"the later end", append(spam("198.51.100.1"), late), []criteria.Listing{late}},
		{"a score inside the operator's network is overruled",
			[]criteria.Listing{listed("198.51.100.1", criteria.Spam),
				listed("198.51.100.0/24", criteria.Operator), listed("198.51.100.9", criteria.Operator),
				listed("198.51.101.1", criteria.Backscatter)},
			[]criteria.Listing{listed("198.51.100.0/24", criteria.Operator),
				listed("198.51.100.9", criteria.Operator), listed("198.51.101.1", criteria.Backscatter)}},
		{"listed addresses stand inside the network of their neighbours",
			[]criteria.Listing{listed("198.51.100.0/24", criteria.Network),
				listed("198.51.100.1", criteria.Spam), listed("198.51.100.9", criteria.Backscatter)},
			[]criteria.Listing{listed("198.51.100.0/24", criteria.Network),
				listed("198.51.100.1", criteria.Spam), listed("198.51.100.9", criteria.Backscatter)}},
		{"the operator's address inside a scored network stands",
			[]criteria.Listing{listed("2001:db8::/64", criteria.Spam),
				listed("2001:db8::7", criteria.Operator)},
			[]criteria.Listing{listed("2001:db8::/64", criteria.Spam),
				listed("2001:db8::7", criteria.Operator)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := Resolve(c.in, nil, special, noon)
			same(t, "listings", got, c.want)
			slices.Reverse(c.in)
			got, _ = Resolve(c.in, nil, special, noon)
			same(t, "listings of the reversed input", got, c.want)
		})
	}
}

// TestResolveAgainstModel asks about every address of a small world. The scored listings have one
// answer, because units never overlap and so need no rule which of two answers stands.
func TestResolveAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	within := func() netip.Prefix {
		a := netip.AddrFrom4([4]byte{198, 51, 100, byte(random.IntN(256))})
		return netip.PrefixFrom(a, 24+random.IntN(9)).Masked()
	}
	for range 300 {
		var list []criteria.Listing
		var ex []criteria.Exception
		for range random.IntN(8) {
			answer := answers[random.IntN(2)]
			list = append(list, listed(within().String(), answer))
		}
		for range random.IntN(5) {
			ex = append(ex, criteria.Exception{Network: within(), Until: criteria.Never})
		}
		got, _ := Resolve(list, ex, special, noon)
		for i := range 256 {
			a := netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
			if got, want := answerOf(got, a), modelAnswer(list, ex, a); got != want {
				t.Fatalf("%s: answer %q, want %q, of %v without %v", a, got, want, list, ex)
			}
		}
	}
}

// answerOf is what a trie answers: the longest match.
func answerOf(list []criteria.Listing, a netip.Addr) criteria.Answer {
	var best criteria.Listing
	for _, l := range list {
		if l.Source.Contains(a) && l.Source.Bits() >= best.Source.Bits() {
			best = l
		}
	}
	return best.Answer
}

func modelAnswer(list []criteria.Listing, ex []criteria.Exception, a netip.Addr) criteria.Answer {
	if slices.ContainsFunc(ex, func(x criteria.Exception) bool { return x.Network.Contains(a) }) {
		return criteria.Unlisted
	}
	answer := criteria.Unlisted
	for _, l := range list {
		if l.Source.Contains(a) {
			answer = max(answer, l.Answer) // the operator's is the highest
		}
	}
	return answer
}

// A network is never listed for its neighbours' sake across an exception.
func TestNetworkWithAnExceptionInside(t *testing.T) {
	in := []criteria.Listing{listed("198.51.100.0/24", criteria.Network), listed("198.51.100.1", criteria.Spam)}
	got, _ := Resolve(in, except("198.51.100.200/32"), special, noon)
	same(t, "listings", got, in[1:])
}
