package signpost

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// trap: mail to a domain of traps comes here, or to somebody who hands it on.
func (c checker) trap(ctx context.Context, domain string) []Finding {
	f := Finding{Name: domain, Record: "MX", State: Odd, Astray: true, Mend: c.exchangerMend(domain)}
	// What is below a domain is asked about by one name: it has a record only if there is a wildcard.
	asked := domain
	if below, is := strings.CutPrefix(domain, "*."); is {
		asked = "any." + below
	}
	exchangers, err := c.exchangers(ctx, asked)
	switch {
	case isUnanswered(err):
		return []Finding{unanswered(domain, "MX", err)}
	case len(exchangers) == 0:
		return []Finding{c.implicit(ctx, asked, f)}
	case len(exchangers) == 1 && exchangers[0].Host == "":
		f.Text = "says that it takes no mail (RFC 7505)"
		return []Finding{f}
	}
	return []Finding{c.judge(ctx, f, exchangers)}
}

// exchangers are those of a domain, the preferred one first. net gives what is sound in an answer
// and an error for the rest, which can be no host of ours.
func (c checker) exchangers(ctx context.Context, domain string) ([]*net.MX, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := c.LookupMX(ctx, domain)
	if len(found) > 0 {
		err = nil
	}
	for _, mx := range found {
		mx.Host = strings.ToLower(strings.TrimSuffix(mx.Host, "."))
	}
	slices.SortStableFunc(found, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	return found, err
}

// exchangerMend names the record that is missing.
func (c checker) exchangerMend(domain string) string {
	return fmt.Sprintf("add the record: %s. MX 10 %s.; or, where another host hands the mail on, name "+
		"it in [[trust.relay]] or trust.hosts", domain, first(c.Hosts))
}

// implicit: without an MX record mail goes to the domain's own address (RFC 5321 section 5.1).
func (c checker) implicit(ctx context.Context, domain string, f Finding) Finding {
	found, unknown := c.addresses(ctx, domain)
	switch {
	case unknown != nil:
		f.Text, f.State, f.Astray, f.Mend = "its address "+unknown.Text, Unknown, false, unknown.Mend
	case slices.ContainsFunc(found, c.isOwn):
		f.State, f.Astray, f.Mend = Fine, false, ""
		f.Text = "has no MX record, and its address is this machine's"
	default:
		f.Text = "has no MX record"
	}
	return f
}

// judge says where the exchangers lead: all of them here, some, or none.
func (c checker) judge(ctx context.Context, f Finding, exchangers []*net.MX) Finding {
	var here, elsewhere, texts []string
	for _, mx := range exchangers {
		texts = append(texts, fmt.Sprintf("%d %s", mx.Pref, mx.Host))
		switch leads, unknown := c.leadsHere(ctx, mx.Host); {
		case unknown != nil:
			f.Text, f.State = fmt.Sprintf("%d %s %s", mx.Pref, mx.Host, unknown.Text), Unknown
			f.Astray, f.Mend = false, unknown.Mend
			return f
		case leads:
			here = append(here, mx.Host)
		default:
			elsewhere = append(elsewhere, mx.Host)
		}
	}
	f.Text = "goes to " + strings.Join(texts, ", ")
	switch {
	case len(here) == 0:
		f.Text += ", which is not this machine and no relay of ours"
	case len(elsewhere) > 0:
		f.Astray = false
		f.Text += "; of these " + strings.Join(elsewhere, ", ") + " is not this machine and no relay of ours"
		f.Mend = "name it in [[trust.relay]], or it is blamed for what it hands on"
	default:
		f.State, f.Astray, f.Mend = Fine, false, ""
	}
	return f
}

// leadsHere tells whether a mail exchanger is this machine, or hands mail on to it.
func (c checker) leadsHere(ctx context.Context, host string) (bool, *Finding) {
	named := func(r Relay) bool { return slices.Contains(r.Names, host) }
	if slices.Contains(c.Hosts, host) || slices.ContainsFunc(c.Relays, named) {
		return true, nil
	}
	found, unknown := c.addresses(ctx, host)
	return slices.ContainsFunc(found, func(a netip.Addr) bool {
		within := func(r Relay) bool { return r.Network.IsValid() && r.Network.Contains(a) }
		return c.isOwn(a) || slices.ContainsFunc(c.Relays, within)
	}), unknown
}
