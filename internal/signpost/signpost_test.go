package signpost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// records is a resolver: "MX traps.example" gives "10 mx.traps.example". A "!" times out, and what
// is not in it does not exist.
type records map[string][]string

func (r records) look(ctx context.Context, record, name string) ([]string, error) {
	values, known := r[record+" "+name]
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !known:
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	case values[0] == "!":
		return nil, &net.DNSError{Err: "i/o timeout", Name: name, IsTimeout: true}
	case values[0] == "?":
		return nil, &net.DNSError{Err: "server misbehaving", Name: name}
	}
	return values, nil
}

func (r records) LookupMX(ctx context.Context, name string) (all []*net.MX, err error) {
	values, err := r.look(ctx, "MX", name)
	for _, v := range values {
		mx := new(net.MX)
		if _, err := fmt.Sscanf(v, "%d %s", &mx.Pref, &mx.Host); err != nil {
			return all, err
		}
		all = append(all, mx)
	}
	return all, err
}

func (r records) LookupNS(ctx context.Context, name string) (all []*net.NS, err error) {
	values, err := r.look(ctx, "NS", name)
	for _, v := range values {
		all = append(all, &net.NS{Host: v})
	}
	return all, err
}

func (r records) LookupNetIP(ctx context.Context, _, host string) (all []netip.Addr, err error) {
	values, err := r.look(ctx, "A", host)
	for _, v := range values {
		all = append(all, netip.MustParseAddr(v))
	}
	return all, err
}

func (r records) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return r.look(ctx, "PTR", addr)
}

// site is a machine at 192.0.2.1 with one trap domain and a relay.
func site() Site {
	return Site{Own: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.0.0.1")},
		Hosts: []string{"mx.traps.example"}, Traps: []string{"traps.example"},
		Relays: []Relay{{netip.MustParsePrefix("192.0.2.10/32"), []string{"backup.example"}}},
		Origin: "bl.mx.traps.example", NS: []string{"mx.traps.example", "ns.example"}}
}

// sound is a DNS in which all of it leads here.
func sound() records {
	return records{
		"A mx.traps.example":     {"::ffff:192.0.2.1"},
		"PTR 192.0.2.1":          {"MX.traps.example."},
		"MX traps.example":       {"20 backup.example.", "10 MX.Traps.example."},
		"A backup.example":       {"192.0.2.10"},
		"A ns.example":           {"192.0.2.5"},
		"NS bl.mx.traps.example": {"mx.traps.example."},
	}
}

func TestSound(t *testing.T) {
	want := []Finding{
		{Name: "mx.traps.example", Record: "A", State: Fine, Text: "leads to 192.0.2.1: this machine"},
		{Name: "192.0.2.1", Record: "PTR", State: Fine, Text: "is called mx.traps.example"},
		{Name: "traps.example", Record: "MX", State: Fine,
			Text: "goes to 10 mx.traps.example, 20 backup.example"},
		{Name: "backup.example", Record: "A", State: Fine, Text: "leads to 192.0.2.10"},
		{Name: "bl.mx.traps.example", Record: "NS", State: Fine,
			Text: "is delegated to mx.traps.example"},
		{Name: "ns.example", Record: "A", State: Fine, Text: "leads to 192.0.2.5"},
	}
	if diff := cmp.Diff(want, Check(t.Context(), sound(), site())); diff != "" {
		t.Error(diff)
	}
}

func TestFindings(t *testing.T) {
	tests := []struct {
		name   string
		change func(records, *Site)
		about  string // record and name
		state  State
		text   string
		mend   string
		astray bool
	}{
		{"no address", func(r records, _ *Site) { delete(r, "A mx.traps.example") },
			"A mx.traps.example", Odd, "has no address", "add the record: mx.traps.example. A 192.0.2.1", false},
		{"no address, and none of our own that the world sees", func(r records, s *Site) {
			delete(r, "A mx.traps.example")
			s.Own = s.Own[1:]
		}, "A mx.traps.example", Odd, "has no address", "with the address that the world sees", false},
		{"another machine", func(r records, _ *Site) { r["A mx.traps.example"] = []string{"192.0.2.2"} },
			"A mx.traps.example", Odd, "leads to 192.0.2.2, which is no address of this machine",
			"right where addresses are translated", false},
		{"no name", func(r records, _ *Site) { delete(r, "PTR 192.0.2.1") },
			"PTR 192.0.2.1", Odd, "has no name", "name it mx.traps.example", false},
		{"another name", func(r records, _ *Site) { r["PTR 192.0.2.1"] = []string{"a.isp.example."} },
			"PTR 192.0.2.1", Odd, "is called a.isp.example", "name it mx.traps.example", false},
		{"no name server answers", func(r records, _ *Site) { r["PTR 192.0.2.1"] = []string{"!"} },
			"PTR 192.0.2.1", Unknown, "no name server answered in time", "/etc/resolv.conf", false},

		{"no MX", func(r records, _ *Site) { delete(r, "MX traps.example") },
			"MX traps.example", Odd, "has no MX record",
			"add the record: traps.example. MX 10 mx.traps.example.; or", true},
		{"no MX, and its own address", func(r records, _ *Site) {
			delete(r, "MX traps.example")
			r["A traps.example"] = []string{"192.0.2.1"}
		}, "MX traps.example", Fine, "its address is this machine's", "", false},
		{"no MX, and its address unknown", func(r records, _ *Site) {
			delete(r, "MX traps.example")
			r["A traps.example"] = []string{"?"}
		}, "MX traps.example", Unknown, "its address could not be looked up: server misbehaving",
			"ask again", false},
		{"null MX", func(r records, _ *Site) { r["MX traps.example"] = []string{"0 ."} },
			"MX traps.example", Odd, "takes no mail (RFC 7505)", "add the record", true},
		{"an MX elsewhere", func(r records, _ *Site) { r["MX traps.example"] = []string{"5 mail.example."} },
			"MX traps.example", Odd, "goes to 5 mail.example, which is not this machine", "trust.hosts", true},
		{"another name of ours", func(r records, _ *Site) {
			r["MX traps.example"] = []string{"5 mail.example."}
			r["A mail.example"] = []string{"192.0.2.1"}
		}, "MX traps.example", Fine, "goes to 5 mail.example", "", false},
		{"another name of our relay", func(r records, _ *Site) {
			r["MX traps.example"] = []string{"5 mail.example."}
			r["A mail.example"] = []string{"192.0.2.10"}
		}, "MX traps.example", Fine, "goes to 5 mail.example", "", false},
		{"an MX whose address is unknown", func(r records, _ *Site) {
			r["MX traps.example"] = []string{"5 mail.example."}
			r["A mail.example"] = []string{"!"}
		}, "MX traps.example", Unknown, "5 mail.example could not be looked up", "ask again", false},
		{"a second MX that is no relay", func(r records, _ *Site) {
			r["MX traps.example"] = append(r["MX traps.example"], "30 other.example.")
		}, "MX traps.example", Odd, "of these other.example is not this machine",
			"or it is blamed for what it hands on", false},
		{"below a domain", func(r records, s *Site) {
			s.Traps = []string{"*.traps.example"}
			r["MX any.traps.example"] = []string{"1 mx.traps.example."}
		}, "MX *.traps.example", Fine, "goes to 1 mx.traps.example", "", false},

		{"a relay elsewhere", func(r records, _ *Site) { r["A backup.example"] = []string{"192.0.2.11"} },
			"A backup.example", Odd, "leads to 192.0.2.11, and its [[trust.relay]] is 192.0.2.10/32",
			"right if it sends from", false},
		{"a relay without an address", func(r records, _ *Site) { delete(r, "A backup.example") },
			"A backup.example", Odd, "has no address", "in its Received lines", false},
		{"a name server without an address", func(r records, _ *Site) { delete(r, "A ns.example") },
			"A ns.example", Odd, "has no address", "add the record: ns.example. A", false},
		{"no delegation", func(r records, _ *Site) { delete(r, "NS bl.mx.traps.example") },
			"NS bl.mx.traps.example", Odd, "is delegated to nobody",
			"delegate it: bl.mx.traps.example. NS mx.traps.example.", false},
		{"another delegation", func(r records, _ *Site) {
			r["NS bl.mx.traps.example"] = []string{"ns2.example."}
		}, "NS bl.mx.traps.example", Odd, "is delegated to ns2.example, and zone.ns names others",
			"name them in zone.ns", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, s := sound(), site()
			test.change(r, &s)
			f := findingAbout(t, Check(t.Context(), r, s), test.about)
			if f.State != test.state || !strings.Contains(f.Text, test.text) ||
				!strings.Contains(f.Mend, test.mend) || f.Astray != test.astray {
				t.Errorf("got %+v", f)
			}
			if f.State == Fine && f.Mend != "" {
				t.Errorf("mends what is fine: %+v", f)
			}
		})
	}
}

func findingAbout(t *testing.T, all []Finding, about string) Finding {
	t.Helper()
	for _, f := range all {
		if f.Record+" "+f.Name == about {
			return f
		}
	}
	t.Fatalf("nothing about %s in %+v", about, all)
	return Finding{}
}

// TestNobodyToAsk: without a network all is unknown, nothing is wrong, and it does not take long.
func TestNobodyToAsk(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := site()
	for i := range 1000 {
		s.Traps = append(s.Traps, fmt.Sprintf("t%d.example", i))
	}
	for _, f := range Check(ctx, sound(), s) {
		if f.State != Unknown || f.Astray || f.Mend == "" {
			t.Fatalf("got %+v", f)
		}
	}
}

// slow never answers by itself.
type slow struct{ records }

func (slow) LookupMX(ctx context.Context, _ string) ([]*net.MX, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestPatience: a name server that does not answer is given up.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := findingAbout(t, Check(t.Context(), slow{sound()}, site()), "MX traps.example")
		if f.State != Unknown || !strings.Contains(f.Text, "no name server answered in time") {
			t.Errorf("got %+v", f)
		}
		if took := time.Since(begin); took != patience {
			t.Errorf("took %s", took)
		}
	})
}

func TestUnanswered(t *testing.T) {
	f := unanswered("a.example", "A", errors.New("no network"))
	if f.Text != "could not be looked up: no network" {
		t.Errorf("got %+v", f)
	}
}
