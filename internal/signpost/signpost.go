// Package signpost looks whether the DNS leads mail and questions to this machine.
//
// In come the names that a configuration uses, the addresses that this machine has, and a resolver;
// out come findings, in the order of the names: the records lead here, or they do not and what to
// change, or nobody could be asked. It never connects to what it finds, and what it finds decides
// nothing: networks translate addresses, and names differ by who asks.
package signpost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Resolver asks the DNS. A name that is not there is a *net.DNSError that says so.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNS(ctx context.Context, name string) ([]*net.NS, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

var _ Resolver = (*net.Resolver)(nil)

// Bounds of a check: so long for one question, so long for all of them, and so many at once.
const (
	patience = 3 * time.Second
	longest  = 30 * time.Second
	atOnce   = 16
)

// Site is what ought to be found. Names are in lower case, without a final dot.
type Site struct {
	Own    []netip.Addr // addresses of this machine
	Hosts  []string     // what we call ourselves, one at least
	Traps  []string     // domains of traps; "*.traps.example" is what is below traps.example
	Relays []Relay      // who hands mail on to us
	Origin string       // of the zone
	NS     []string     // of the zone
}

// Relay is a host that hands mail on to us.
type Relay struct {
	Network netip.Prefix // the zero value where only its names are known
	Names   []string
}

// State is how a name stands.
type State string

// The states of a name.
const (
	Fine    State = "ok"
	Odd     State = "warning" // may be meant
	Unknown State = "unknown" // nobody could be asked
)

// Finding is what was found of one name.
type Finding struct {
	Name   string `json:"name"`   // or an address
	Record string `json:"record"` // A (AAAA with it), MX, NS or PTR
	State  State  `json:"state"`
	Text   string `json:"text"`   // what was found
	Mend   string `json:"mend"`   // "" where there is none
	Astray bool   `json:"astray"` // mail to a trap domain goes to others
}

// Check looks up all names of a site. It takes 30 s at most: what is not answered by then is
// Unknown, as is all of it without a network.
func Check(ctx context.Context, r Resolver, s Site) []Finding {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	c := checker{Resolver: r, Site: s}
	var questions []func(context.Context) []Finding
	ask := func(look func(context.Context, string) []Finding, names []string) {
		for _, name := range names {
			questions = append(questions, func(ctx context.Context) []Finding { return look(ctx, name) })
		}
	}
	ask(c.host, s.Hosts)
	ask(c.trap, s.Traps)
	for _, relay := range s.Relays {
		ask(func(ctx context.Context, name string) []Finding {
			return c.relay(ctx, relay, name)
		}, relay.Names)
	}
	ask(c.zone, []string{s.Origin})
	ask(c.nameServer, slices.DeleteFunc(slices.Clone(s.NS), func(name string) bool {
		return slices.Contains(s.Hosts, name) // asked about above
	}))
	return slices.Concat(answers(ctx, questions)...)
}

// answers asks everything, some at once, and gives the findings in the order of the questions.
func answers(ctx context.Context, questions []func(context.Context) []Finding) [][]Finding {
	found := make([][]Finding, len(questions))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, question := range questions {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			found[i] = question(ctx)
		})
	}
	all.Wait()
	return found
}

// checker asks about one site.
type checker struct {
	Resolver
	Site
}

// host: a name of ours has an address of this machine, and the address the name.
func (c checker) host(ctx context.Context, name string) []Finding {
	found, unknown := c.addresses(ctx, name)
	f := Finding{Name: name, Record: "A", State: Odd, Text: "leads to " + list(found)}
	own := slices.DeleteFunc(slices.Clone(found), func(a netip.Addr) bool { return !c.isOwn(a) })
	switch {
	case unknown != nil:
		return []Finding{*unknown}
	case len(found) == 0:
		f.Text, f.Mend = "has no address", c.addressMend(name)
	case len(own) == 0:
		f.Text += ", which is no address of this machine"
		f.Mend = "right where addresses are translated on the way; else " + c.addressMend(name)
	default:
		f.State, f.Text = Fine, f.Text+": this machine"
	}
	all := []Finding{f}
	for _, a := range found {
		all = append(all, c.reverse(ctx, a, name))
	}
	return all
}

// addressMend names the record that is missing.
func (c checker) addressMend(name string) string {
	for _, a := range c.Own {
		if a.Is4() && !a.IsPrivate() {
			return fmt.Sprintf("add the record: %s. A %s", name, a)
		}
	}
	return fmt.Sprintf("add an A record for %s with the address that the world sees", name)
}

// reverse: an address has the name of ours that leads to it.
func (c checker) reverse(ctx context.Context, a netip.Addr, name string) Finding {
	f := Finding{Name: a.String(), Record: "PTR", State: Odd,
		Mend: "have whoever gives you the address name it " + name}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	names, err := c.LookupAddr(ctx, a.String())
	for i := range names {
		names[i] = strings.ToLower(strings.TrimSuffix(names[i], "."))
	}
	switch {
	case isUnanswered(err):
		return unanswered(f.Name, f.Record, err)
	case len(names) == 0:
		f.Text = "has no name"
	case !slices.Contains(names, name):
		f.Text = "is called " + strings.Join(names, ", ")
	default:
		f.State, f.Text, f.Mend = Fine, "is called "+name, ""
	}
	return f
}

// relay: a host that hands mail on has its name at its addresses.
func (c checker) relay(ctx context.Context, r Relay, name string) []Finding {
	found, unknown := c.addresses(ctx, name)
	f := Finding{Name: name, Record: "A", State: Odd, Text: "leads to " + list(found)}
	switch {
	case unknown != nil:
		return []Finding{*unknown}
	case len(found) == 0:
		f.Text, f.Mend = "has no address", "right if the host calls itself so in its Received lines"
	case r.Network.IsValid() && !slices.ContainsFunc(found, r.Network.Contains):
		f.Text += fmt.Sprintf(", and its [[trust.relay]] is %s", r.Network)
		f.Mend = "right if it sends from other addresses than it receives at"
	default:
		f.State = Fine
	}
	return []Finding{f}
}

// zone: somebody is asked for what is below the zone's name.
func (c checker) zone(ctx context.Context, origin string) []Finding {
	f := Finding{Name: origin, Record: "NS", State: Odd,
		Mend: fmt.Sprintf("delegate it: %s. NS %s.", origin, first(c.NS))}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	servers, err := c.LookupNS(ctx, origin)
	var names []string
	for _, ns := range servers {
		names = append(names, strings.ToLower(strings.TrimSuffix(ns.Host, ".")))
	}
	switch {
	case isUnanswered(err):
		return []Finding{unanswered(origin, "NS", err)}
	case len(names) == 0:
		f.Text = "is delegated to nobody, so nobody can ask for a listing"
	case !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(c.NS, n) }):
		f.Text = "is delegated to " + strings.Join(names, ", ") + ", and zone.ns names others"
		f.Mend = "name them in zone.ns"
	default:
		f.State, f.Text, f.Mend = Fine, "is delegated to "+strings.Join(names, ", "), ""
	}
	return []Finding{f}
}

// nameServer: a name server of the zone has an address.
func (c checker) nameServer(ctx context.Context, name string) []Finding {
	found, unknown := c.addresses(ctx, name)
	switch {
	case unknown != nil:
		return []Finding{*unknown}
	case len(found) == 0:
		return []Finding{{Name: name, Record: "A", State: Odd, Text: "has no address",
			Mend: "add the record: " + name + ". A with its address"}}
	}
	return []Finding{{Name: name, Record: "A", State: Fine, Text: "leads to " + list(found)}}
}

// addresses looks up a name; a name that is not there has none.
func (c checker) addresses(ctx context.Context, name string) ([]netip.Addr, *Finding) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := c.LookupNetIP(ctx, "ip", name)
	if isUnanswered(err) {
		f := unanswered(name, "A", err)
		return nil, &f
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found), nil
}

func (c checker) isOwn(a netip.Addr) bool { return slices.Contains(c.Own, a) }

// isUnanswered tells an error from the answer that there is nothing.
func isUnanswered(err error) bool {
	var e *net.DNSError
	return err != nil && !(errors.As(err, &e) && e.IsNotFound)
}

func unanswered(name, record string, err error) Finding {
	text := "could not be looked up: " + err.Error()
	var e *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &e) && e.IsTimeout:
		text = "could not be looked up: no name server answered in time"
	case e != nil:
		text = "could not be looked up: " + e.Err
	}
	return Finding{Name: name, Record: record, State: Unknown, Text: text,
		Mend: "look at /etc/resolv.conf and the network, and ask again"}
}

func list(all []netip.Addr) string {
	var texts []string
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ", ")
}

func first(names []string) string {
	if len(names) == 0 {
		return "NAME"
	}
	return names[0]
}
