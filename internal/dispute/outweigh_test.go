package dispute

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/trapline/trapline/criteria"
)

// What was opened from the address alone, by somebody who shares it or by what sends the spam,
// does not keep out whoever controls it: his dispute takes its place, in one commit.
func TestOwnerOutweighsSharer(t *testing.T) {
	for _, peer := range []string{elsewhere, ours} {
		t.Run(peer, func(t *testing.T) {
			c := newCourt(t)
			sharer := c.file(filled(ours, ours))
			owner := c.file(filled(ours, peer))
			c.want(owner.ID, Filed)
			c.publish(owner.ID)
			if _, err := c.Prove(t.Context(), owner.ID, netip.MustParseAddr(peer)); err != nil {
				t.Fatal(err)
			}
			c.want(owner.ID, Open)
			c.want(sharer.ID, Expired)
			if k := c.find(sharer.ID); !strings.Contains(k.Reason, "TXT") || k.By != requester {
				t.Errorf("it ended by %s: %s", k.By, k.Reason)
			}
			if c.acts() != "opened expired opened" {
				t.Errorf("the ledger has %s", c.acts())
			}
			c.sameAfterRestart()
			// Neither the sharer nor another form comes against it.
			_, err := c.File(t.Context(), filled(ours, ours))
			refused(t, err, AlreadyOpen)
		})
	}
}

// Both or neither: a ledger that fails leaves the one that is open.
func TestOutweighingIsOneCommit(t *testing.T) {
	c := newCourt(t)
	sharer, owner := c.file(filled(ours, ours)), c.file(filled(ours, elsewhere))
	c.publish(owner.ID)
	c.broken = context.Canceled
	if _, err := c.Prove(t.Context(), owner.ID, netip.Addr{}); err == nil {
		t.Error("it is proven")
	}
	c.want(sharer.ID, Open)
	c.want(owner.ID, Filed)
}

// With a TXT on both sides the first one stays.
func TestTXTDoesNotOutweighTXT(t *testing.T) {
	c := newCourt(t)
	first, second := c.file(filled(ours, elsewhere)), c.file(filled(ours, elsewhere))
	for _, k := range []Case{first, second} {
		c.publish(k.ID)
	}
	if _, err := c.Prove(t.Context(), first.ID, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Prove(t.Context(), second.ID, netip.Addr{})
	refused(t, err, AlreadyOpen)
	c.want(first.ID, Open)
	c.want(second.ID, Filed)
}

// A dispute that got its TXT later is no less proven.
func TestProvedLaterStays(t *testing.T) {
	c := newCourt(t)
	first, second := c.file(filled(ours, ours)), c.file(filled(ours, elsewhere))
	for _, k := range []Case{first, second} {
		c.publish(k.ID)
	}
	if _, err := c.Prove(t.Context(), first.ID, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Prove(t.Context(), second.ID, netip.Addr{})
	refused(t, err, AlreadyOpen)
	c.want(first.ID, Open)
}

// Whoever controls one address of a listed network does not speak for the network: a dispute of
// it that another of its addresses has opened stays.
func TestPartDoesNotOutweighWhole(t *testing.T) {
	c := newCourt(t)
	whole := netip.MustParsePrefix("198.51.100.0/24")
	neighbour := netip.MustParseAddr("198.51.100.8")
	d := criteria.Decision{Act: criteria.ActDispute, Who: requester, Name: "whole", Network: whole,
		Dispute: &criteria.Dispute{Step: criteria.StepOpened, Address: neighbour,
			Claim: string(Technical), Filed: c.now(), Proof: string(ByAddress)}}
	if err := c.Decide(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	c.restart()
	k := c.file(filled(ours, elsewhere))
	c.publish(k.ID)
	if _, err := c.Prove(t.Context(), k.ID, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	c.want(k.ID, Open)
	c.want("whole", Open)
}

// The token of one dispute proves nothing for another: what an owner sets for his own does not
// make the statement of somebody who shares the address his.
func TestOwnersTokenIsNotTheSharers(t *testing.T) {
	c := newCourt(t)
	sharer, owner := c.file(filled(ours, ours)), c.file(filled(ours, elsewhere))
	c.publish(owner.ID)
	_, err := c.Prove(t.Context(), sharer.ID, netip.MustParseAddr(ours))
	refused(t, err, NoProof)
	if k := c.find(sharer.ID); k.proven(ByTXT) {
		t.Error("the sharer has the owner's proof")
	}
}

// From the address, one who is barred is told of that, and of what his TXT lacks.
func TestBarredIsToldOfBoth(t *testing.T) {
	c := newCourt(t)
	c.file(filled(ours, ours))
	again := c.file(filled(ours, ours))
	_, err := c.Prove(t.Context(), again.ID, netip.MustParseAddr(ours))
	r := refusal(t, err, AlreadyOpen)
	if !strings.Contains(r.Hint, "there is no TXT record at _trapline.7.") {
		t.Errorf("told: %v", r)
	}
}

// The id of a dispute opens its page, which shows its token. While it goes on nobody is told
// it, and then only who comes from the address.
func TestIDsAreNotTold(t *testing.T) {
	for _, test := range []struct {
		name, peer string
		ended      bool
		why        Refusal
		told       bool
	}{
		{"open, from elsewhere", elsewhere, false, AlreadyOpen, false},
		{"open, from the address", ours, false, AlreadyOpen, false},
		{"rejected, from elsewhere", elsewhere, true, CoolingDown, false},
		{"rejected, from a neighbour", "198.51.100.8", true, CoolingDown, false},
		{"rejected, from the address", ours, true, CoolingDown, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCourt(t)
			k := c.file(filled(ours, "192.0.2.1"))
			c.publish(k.ID)
			if _, err := c.Prove(t.Context(), k.ID, netip.Addr{}); err != nil {
				t.Fatal(err)
			}
			if test.ended {
				if _, err := c.Reject(t.Context(), "uid 0", k.ID, "no"); err != nil {
					t.Fatal(err)
				}
			}
			_, err := c.File(t.Context(), filled(ours, test.peer))
			r := refusal(t, err, test.why)
			if want := map[bool]string{true: k.ID}[test.told]; r.ID != want || strings.Contains(r.Error(), k.ID) {
				t.Errorf("told %q: %v", r.ID, r)
			}
		})
	}
}

// What was removed by whoever controls the address is told of likewise.
func TestRemovedIDIsNotTold(t *testing.T) {
	c := newCourt(t)
	c.self = true
	f := filled(ours, elsewhere)
	f.Claim = Fixed
	k := c.file(f)
	c.publish(k.ID)
	if _, err := c.Remove(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	c.hits[unit(ours)] = []uint64{9001, 9002}
	_, err := c.File(t.Context(), f)
	if r := refusal(t, err, CoolingDown); r.ID != "" {
		t.Errorf("told %q", r.ID)
	}
	f.Peer = netip.MustParseAddr(ours)
	_, err = c.File(t.Context(), f)
	if r := refusal(t, err, CoolingDown); r.ID != k.ID {
		t.Errorf("from the address, told %q", r.ID)
	}
}
