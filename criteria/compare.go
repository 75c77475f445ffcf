package criteria

import (
	"cmp"
	"net/netip"
	"slices"
)

// Comparison is what other rules would have made of the same hits: the answer
// to "what if", before it is in force. Times on the list are seconds within the
// span; the operator's own listings are left out, since they do not depend on it.
type Comparison struct {
	From Second `json:"from"`
	To   Second `json:"to"`

	Base  Total `json:"base"`  // as it was
	Other Total `json:"other"` // as it would have been

	Added   []Contrast `json:"added"`   // would be listed at some time, and never were
	Removed []Contrast `json:"removed"` // were listed at some time, and never would be
	Moved   []Contrast `json:"moved"`   // both, but for another time

	Causes    []Group `json:"causes"`    // Added, Removed and Moved by main cause
	Networks  []Group `json:"networks"`  // by /24 and /48, those with most hours first
	Providers []Group `json:"providers"` // those known mail providers that are touched
	Spared    []Spare `json:"spared"`    // would be listed, but for an exception
}

// Total is one list over the span.
type Total struct {
	Sources int   `json:"sources"` // listed at some time
	Seconds int64 `json:"seconds"` // that all of them were listed together
}

// Contrast is one source under both.
type Contrast struct {
	Source Source `json:"source"`
	Cause  Cause  `json:"cause"` // most of its reports, when it was first listed
	Base   int64  `json:"base"`  // seconds listed
	Other  int64  `json:"other"`
}

// Group is the contrasts that have something in common.
type Group struct {
	Name    string `json:"name"`
	Added   int    `json:"added"`
	Removed int    `json:"removed"`
	Moved   int    `json:"moved"`
	Base    int64  `json:"base"` // seconds listed, together
	Other   int64  `json:"other"`
}

// Spare is a source that an exception keeps off the list.
type Spare struct {
	Source  Source       `json:"source"`
	Network netip.Prefix `json:"network"` // of the exception
	Reason  string       `json:"reason"`
	Seconds int64        `json:"seconds"` // that it would have been listed without
}

// Compare puts two courses of one span beside each other: base is what was,
// other what would have been, bare the other without any exception, nil where
// there were none. provider names the mail provider that a network belongs to;
// it may be nil.
func Compare(base, other, bare *Course, provider func(netip.Prefix) (string, bool)) Comparison {
	c := Comparison{From: base.from, To: base.to, Base: base.total(), Other: other.total(),
		Added: []Contrast{}, Removed: []Contrast{}, Moved: []Contrast{}, Spared: []Spare{}}
	for _, x := range contrasts(base, other) {
		switch {
		case x.Base == x.Other:
		case x.Base == 0:
			c.Added = append(c.Added, x)
		case x.Other == 0:
			c.Removed = append(c.Removed, x)
		default:
			c.Moved = append(c.Moved, x)
		}
	}
	c.Causes = c.group(func(x Contrast) (string, bool) { return x.Cause.String(), true })
	c.Networks = c.group(func(x Contrast) (string, bool) { return wide(x.Source.Prefix), true })
	c.Providers = []Group{}
	if provider != nil {
		c.Providers = c.group(func(x Contrast) (string, bool) { return provider(x.Source.Prefix) })
	}
	if bare != nil {
		c.Spared = bare.spared(other)
	}
	return c
}

// Changes counts the sources that the other rules would treat differently.
func (c Comparison) Changes() int { return len(c.Added) + len(c.Removed) + len(c.Moved) }

func (c *Course) total() Total {
	var t Total
	for source := range c.stays {
		if s := c.seconds(source); s > 0 {
			t.Sources++
			t.Seconds += s
		}
	}
	return t
}

// contrasts gives every source that was in either course, sorted.
func contrasts(base, other *Course) []Contrast {
	var all []Contrast
	add := func(source netip.Prefix, s *stay) {
		all = append(all, Contrast{Source{source}, s.cause, base.seconds(source), other.seconds(source)})
	}
	for source, s := range base.stays {
		add(source, s)
	}
	for source, s := range other.stays {
		if base.stays[source] == nil {
			add(source, s)
		}
	}
	slices.SortFunc(all, func(a, b Contrast) int {
		return comparePrefix(a.Source.Prefix, b.Source.Prefix)
	})
	return all
}

// group adds up the contrasts by a name; those with the most hours moved first.
func (c *Comparison) group(name func(Contrast) (string, bool)) []Group {
	groups := map[string]*Group{}
	add := func(list []Contrast, count func(*Group) *int) {
		for _, x := range list {
			n, ok := name(x)
			if !ok {
				continue
			}
			if groups[n] == nil {
				groups[n] = &Group{Name: n}
			}
			*count(groups[n])++
			groups[n].Base += x.Base
			groups[n].Other += x.Other
		}
	}
	add(c.Added, func(g *Group) *int { return &g.Added })
	add(c.Removed, func(g *Group) *int { return &g.Removed })
	add(c.Moved, func(g *Group) *int { return &g.Moved })
	sorted := make([]Group, 0, len(groups))
	for _, g := range groups {
		sorted = append(sorted, *g)
	}
	slices.SortFunc(sorted, func(a, b Group) int {
		return cmp.Or(cmp.Compare(moved(b), moved(a)), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

func moved(g Group) int64 { return max(g.Other-g.Base, g.Base-g.Other) }

// wide is the /24 or /48 that a source lies in.
func wide(source netip.Prefix) string {
	bits := networkBits(source.Addr())
	if source.Bits() < bits {
		return source.String()
	}
	return netip.PrefixFrom(source.Addr(), bits).Masked().String()
}

// spared gives what is listed in a course without exceptions and not in the one
// with them, sorted.
func (c *Course) spared(other *Course) []Spare {
	found := []Spare{}
	for source, s := range c.stays {
		without, with := c.seconds(source), other.seconds(source)
		if len(s.except) == 0 || without <= with {
			continue
		}
		x := s.except[0]
		found = append(found, Spare{Source{source}, x.Network, x.Reason, without - with})
	}
	slices.SortFunc(found, func(a, b Spare) int { return comparePrefix(a.Source.Prefix, b.Source.Prefix) })
	return found
}
