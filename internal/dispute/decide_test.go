package dispute

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// at brings a new court to a state, and gives its dispute.
func at(t *testing.T, s State) (*court, string) {
	t.Helper()
	c := newCourt(t)
	if s == Filed {
		return c, c.file(filled(ours, elsewhere)).ID
	}
	id := c.file(filled(ours, ours)).ID
	ctx := t.Context()
	var err error
	switch s {
	case Accepted:
		_, _, err = c.Accept(ctx, "uid 0", id, "indeed", Remedy{UncountAll: true})
	case Rejected:
		_, err = c.Reject(ctx, "uid 0", id, "no")
	case Moot:
		c.ended[unit(ours)] = true
		c.tick()
		c.ended[unit(ours)] = false
	case Removed:
		c.self = true
		c.publish(id)
		_, err = c.Remove(ctx, id)
		c.hits[unit(ours)] = []uint64{9001, 9002}
		c.forward(checkEvery)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.want(id, s)
	return c, id
}

// TestStates: from each state what each event leads to; "" for a refusal.
func TestStates(t *testing.T) {
	events := map[string]func(*court, string) error{
		"prove": func(c *court, id string) error {
			c.publish2(id)
			_, err := c.Prove(c.Context(), id, netip.MustParseAddr(elsewhere))
			return err
		},
		"answer": func(c *court, id string) error {
			_, err := c.Answer(c.Context(), "uid 0", id, "we look at it")
			return err
		},
		"reject": func(c *court, id string) error {
			_, err := c.Reject(c.Context(), "uid 0", id, "no")
			return err
		},
		"accept": func(c *court, id string) error {
			_, _, err := c.Accept(c.Context(), "uid 0", id, "yes", Remedy{UncountAll: true})
			return err
		},
		"remove": func(c *court, id string) error {
			c.self = true
			c.publish2(id)
			_, err := c.Remove(c.Context(), id)
			return err
		},
		"the listing ends": func(c *court, _ string) error {
			c.ended[unit(ours)] = true
			return c.Tick(c.Context())
		},
		"time passes": func(c *court, _ string) error {
			c.forward(Patience - time.Second)
			return c.Tick(c.Context())
		},
	}
	for state, wants := range map[State]map[string]State{
		Filed: {"prove": Open, "answer": "", "reject": "", "accept": "", "remove": Removed,
			"the listing ends": Filed, "time passes": Filed},
		Open: {"prove": Open, "answer": Open, "reject": Rejected, "accept": Accepted, "remove": Removed,
			"the listing ends": Moot, "time passes": Open},
		Accepted: {"prove": "", "answer": "", "reject": "", "accept": "", "remove": "",
			"the listing ends": Accepted, "time passes": Accepted},
		Rejected: {"prove": "", "answer": "", "reject": "", "accept": "", "remove": "",
			"the listing ends": Rejected, "time passes": Rejected},
		Moot: {"prove": "", "answer": "", "reject": "", "accept": "", "remove": "",
			"the listing ends": Moot, "time passes": Moot},
		Removed: {"prove": "", "answer": "", "reject": "", "accept": "", "remove": "",
			"the listing ends": Removed, "time passes": Removed},
	} {
		for event, want := range wants {
			t.Run(string(state)+" "+event, func(t *testing.T) {
				c, id := at(t, state)
				decided := len(c.decisions)
				err := events[event](c, id)
				if want != "" {
					if err != nil {
						t.Fatal(err)
					}
					c.want(id, want)
				} else if err == nil || len(c.decisions) > decided {
					t.Errorf("it was done: %v, %s", err, c.acts())
				} else {
					c.want(id, state)
				}
				c.sameAfterRestart()
			})
		}
	}
}

// publish2 puts the token into the DNS, if there still is one.
func (c *court) publish2(id string) {
	if _, ok := c.Challenge(id); ok {
		c.publish(id)
	}
}

func TestRemedies(t *testing.T) {
	for _, c := range []struct {
		name   string
		txt    bool
		remedy Remedy
		acts   string // after the opening; "": refused
		left   bool   // still listed
	}{
		{"removed by default", true, Remedy{}, "delist accepted", false},
		{"which takes a TXT", false, Remedy{}, "", true},
		{"removed", true, Remedy{Delist: true}, "delist accepted", false},
		{"which takes a TXT, too", false, Remedy{Delist: true}, "", true},
		{"excepted", true, Remedy{Except: true, For: 3600}, "except accepted", false},
		{"which takes a TXT as well", false, Remedy{Except: true}, "", true},
		{"a hit un-counted", false, Remedy{Uncount: []uint64{2}}, "uncount accepted", true},
		{"enough hits un-counted", false, Remedy{Uncount: []uint64{1, 3}}, "uncount accepted", false},
		{"all hits un-counted", false, Remedy{UncountAll: true}, "uncount accepted", false},
		{"somebody else's hit", false, Remedy{Uncount: []uint64{2, 4}}, "", true},
		{"everything", true, Remedy{UncountAll: true, Except: true, Delist: true},
			"uncount except delist accepted", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			court := newCourt(t)
			id := court.file(filled(ours, ours)).ID
			if c.txt {
				court.publish(id)
				if _, err := court.Prove(t.Context(), id, netip.Addr{}); err != nil {
					t.Fatal(err)
				}
			}
			before := len(court.decisions)
			k, decisions, err := court.Accept(t.Context(), "uid 7", id, "a trap was subscribed", c.remedy)
			got := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(court.acts(), "opened"), " proved"))
			if got != c.acts || (err != nil) != (c.acts == "") {
				t.Fatalf("decided %q: %v", got, err)
			}
			if e, _ := court.Lookup(netip.MustParseAddr(ours)); e.Listed != c.left {
				t.Errorf("listed afterwards: %t", e.Listed)
			}
			if len(decisions) != len(court.decisions)-before {
				t.Errorf("told of %d decisions", len(decisions))
			}
			for _, d := range decisions {
				if !slices.Contains(court.awaited, d.Seq) {
					t.Errorf("nobody waited for decision %d", d.Seq)
				}
				if d.Who != "uid 7" || !strings.Contains(d.Reason, "a trap was subscribed") || d.Name != id {
					t.Errorf("the audit says %+v", d)
				}
			}
			if err == nil && (k.Reason != "a trap was subscribed" || k.By != "uid 7") {
				t.Errorf("the dispute says %+v", k)
			}
		})
	}
}

func TestDecisionsThatAreNotWritten(t *testing.T) {
	c, id := at(t, Open)
	c.broken = errors.New("disk full")
	ctx := t.Context()
	_, errAnswer := c.Answer(ctx, "uid 0", id, "x")
	_, errReject := c.Reject(ctx, "uid 0", id, "x")
	_, _, errAccept := c.Accept(ctx, "uid 0", id, "x", Remedy{UncountAll: true})
	for _, err := range []error{errAnswer, errReject, errAccept} {
		if !errors.Is(err, c.broken) {
			t.Errorf("got %v", err)
		}
	}
	c.want(id, Open)
	for _, decide := range []func() error{
		func() error { _, err := c.Answer(ctx, "", "none", "x"); return err },
		func() error { _, err := c.Reject(ctx, "", "none", "x"); return err },
		func() error { _, _, err := c.Accept(ctx, "", "none", "x", Remedy{}); return err },
	} {
		refused(t, decide(), Unknown)
	}
}
