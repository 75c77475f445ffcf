package dispute

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

func TestFloodOfOneNetwork(t *testing.T) {
	c := newCourt(t)
	for i := range mostOfNetwork {
		c.file(filled(ours, fmt.Sprintf("203.0.113.%d", i)))
	}
	_, err := c.File(t.Context(), filled(ours, "203.0.113.200"))
	if r := refusal(t, err, TooMany); r.Until.Time() != start.Add(24*time.Hour) {
		t.Errorf("refused until %s", r.Until)
	}
	c.restart()
	_, err = c.File(t.Context(), filled(ours, "203.0.113.200"))
	refused(t, err, TooMany)
	c.file(filled(ours, "203.0.114.1"))
	c.forward(24 * time.Hour)
	c.file(filled(ours, "203.0.113.200"))
}

// A form that had to go for another one was filed all the same.
func TestPushedOutFormsCount(t *testing.T) {
	c := newCourt(t)
	for i := range mostOfNetwork {
		c.file(filled(ours, elsewhere))
		c.file(filled(ours, peerOf(i)))
		c.file(filled(ours, peerOf(i)))
		c.forward(time.Minute)
	}
	if n := len(c.Cases()); n != mostOfListing {
		t.Fatalf("%d forms are kept", n)
	}
	_, err := c.File(t.Context(), filled(ours, elsewhere))
	refused(t, err, TooMany)
}

// Neighbours do not use up what may be filed from an address itself.
func TestNeighboursHaveTheirOwn(t *testing.T) {
	for _, test := range []struct{ address, neighbour string }{
		{ours, "198.51.100.%d"}, {six, "2001:db8:1:1%d::1"},
	} {
		t.Run(test.address, func(t *testing.T) {
			c := newCourt(t)
			for i := range mostOfNetwork {
				c.file(filled(test.address, fmt.Sprintf(test.neighbour, 100+i)))
			}
			_, err := c.File(t.Context(), filled(test.address, fmt.Sprintf(test.neighbour, 200)))
			refused(t, err, TooMany)
			c.restart()
			c.want(c.file(filled(test.address, test.address)).ID, Open)
			for range mostOfNetwork - 1 {
				c.file(filled(test.address, test.address))
			}
			_, err = c.File(t.Context(), filled(test.address, test.address))
			refused(t, err, TooMany)
		})
	}
}

// The forms of one listing crowd out each other, and nobody else's.
func TestFloodOfOneListing(t *testing.T) {
	c := newCourt(t)
	other := c.file(filled(six, elsewhere))
	first := c.file(filled(ours, elsewhere))
	for i := range 3 * mostOfListing {
		c.forward(time.Second)
		c.file(filled(ours, peerOf(i)))
	}
	if n := len(c.Cases()); n != mostOfListing+1 {
		t.Errorf("%d forms are kept", n)
	}
	if _, ok := c.Find(first.ID); ok {
		t.Error("the oldest is still there")
	}
	c.want(other.ID, Filed)
	if c.acts() != "" {
		t.Errorf("the ledger grew: %s", c.acts())
	}
	c.sameAfterRestart()
}

// Networks that file by turns push out their own forms, and not the only one of another: not
// for one listing, and not where there is no room for any.
func TestNetworksCrowdOutThemselves(t *testing.T) {
	t.Run("one listing", func(t *testing.T) {
		c := newCourt(t)
		owner := c.file(filled(ours, elsewhere))
		for i := range 2 * mostOfNetwork {
			c.forward(time.Second)
			c.file(filled(ours, peerOf(i%2)))
		}
		c.want(owner.ID, Filed)
		if n := len(c.Cases()); n != mostOfListing {
			t.Errorf("%d forms are kept", n)
		}
	})
	t.Run("all", func(t *testing.T) {
		c := newCourt(t)
		c.stack(mostFiled-1, func(i int) string { return peerOf(10000 + i/3) })
		oldest := c.file(filled(ours, elsewhere))
		for i := range mostFiled - 1 { // all others are younger
			c.docket[fmt.Sprintf("form%d", i)].Filed++
		}
		for i := range 3 {
			listed := peerOf(mostFiled + i)
			c.hits[unit(listed)] = []uint64{1, 2}
			c.file(filled(listed, peerOf(20000)))
		}
		c.want(oldest.ID, Filed)
		if n := c.Standing().Filed; n != mostFiled {
			t.Errorf("%d forms are kept", n)
		}
	})
}

// stack puts so many forms for as many listings into the docket, as if filed.
func (c *court) stack(n int, peer func(int) string) {
	for i := range n {
		f := filled(peerOf(i), peer(i))
		id := fmt.Sprintf("form%d", i)
		c.docket[id] = f.caseOf(id, criteria.Source{Prefix: unit(peerOf(i))}, c.now())
	}
}

// However many networks file, what is noted of them is bounded, and ends with the day.
func TestFilingsAreBounded(t *testing.T) {
	var f filings
	at := criteria.At(start)
	for i := range 2 * mostFilings {
		f.note(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32), at)
	}
	if len(f) != mostFilings || f[len(f)-1].from.String() != "10.0.156.63/32" {
		t.Errorf("%d are kept, the last is %v", len(f), f[len(f)-1])
	}
	f.note(unit(ours), at+seconds24)
	if len(f) != 1 {
		t.Errorf("after a day %d are kept", len(f))
	}
}
