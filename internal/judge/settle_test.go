package judge

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

// Settle gives what is missing, once: a ledger that has been settled is settled.
func TestSettle(t *testing.T) {
	office, relay := netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("192.0.2.10/32")
	lenient := criteria.DefaultPolicy()
	lenient.Threshold *= 2
	basis := Settings{Policy: criteria.DefaultPolicy(), Except: map[netip.Prefix]string{office: "office"},
		Own: map[netip.Prefix]string{relay: "our relay"}}
	with := func(change func(*Settings)) Settings {
		s := basis
		change(&s)
		return s
	}
	byVerb := criteria.Decision{Act: criteria.ActExcept, Network: office, Origin: criteria.FromOperator, Reason: "by verb"}
	version := criteria.Decision{Act: criteria.ActConfig, Name: "v1"}
	for _, c := range []struct {
		name string
		then []criteria.Decision // ordered since
		want Settings
		gets []string
	}{
		{"nothing new", nil, basis, nil},
		{"policy changed", nil, with(func(s *Settings) { s.Policy = lenient }), []string{"policy invalid Prefix "}},
		{"exception gone", nil, with(func(s *Settings) { s.Except = nil }), []string{"unexcept 203.0.113.0/24 config"}},
		{"exception of another reason", nil,
			with(func(s *Settings) { s.Except = map[netip.Prefix]string{office: "annex"} }),
			[]string{"except 203.0.113.0/24 config"}},
		{"relay became an exception", nil,
			with(func(s *Settings) { s.Own, s.Except = nil, map[netip.Prefix]string{office: "office", relay: "was ours"} }),
			[]string{"except 192.0.2.10/32 config", "unexcept 192.0.2.10/32 own"}},
		{"policy changed beside exceptions", nil, Settings{Policy: lenient,
			Except: map[netip.Prefix]string{relay: "new"}},
			[]string{"except 192.0.2.10/32 config", "policy invalid Prefix ",
				"unexcept 203.0.113.0/24 config", "unexcept 192.0.2.10/32 own"}},
		{"the operator's are left alone", []criteria.Decision{byVerb}, basis, nil},
		{"a version for the first time", nil, with(func(s *Settings) { s.Version = "v1" }),
			[]string{"config invalid Prefix "}},
		{"the version of before", []criteria.Decision{version}, with(func(s *Settings) { s.Version = "v1" }), nil},
		{"another version beside a policy", []criteria.Decision{version},
			with(func(s *Settings) { s.Version, s.Policy = "v2", lenient }),
			[]string{"policy invalid Prefix ", "config invalid Prefix "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ledger := append(Settle(nil, basis, "config"), c.then...)
			var got []string
			missing := Settle(ledger, c.want, "config")
			for _, d := range missing {
				got = append(got, fmt.Sprint(d.Act, " ", d.Network, " ", d.Origin))
				if err := d.Check(); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(c.gets, got); diff != "" {
				t.Error(diff)
			}
			if again := Settle(append(ledger, missing...), c.want, "config"); len(again) > 0 {
				t.Errorf("settled, it still wants %v", again)
			}
		})
	}
}

// TestSettleNote: a configuration that comes without a word says which of its parts are others.
func TestSettleNote(t *testing.T) {
	ledger := Settle(nil, Settings{Policy: criteria.DefaultPolicy(), Version: "v1",
		Parts: map[string]string{"trap": "a", "listen": "b", "zone": "c"}}, "config")
	if note := ledger[len(ledger)-1].Reason; note != "the first" {
		t.Errorf("the first says %q", note)
	}
	want := Settings{Policy: criteria.DefaultPolicy(), Version: "v2",
		Parts: map[string]string{"trap": "A", "listen": "b", "zone": "C"}}
	for _, c := range []struct{ note, want string }{{"", "another trap, zone"},
		{"by hand", "by hand"}} {
		want.Note = c.note
		missing := Settle(ledger, want, "config")
		if len(missing) != 1 || missing[0].Reason != c.want {
			t.Errorf("%+v, want %q", missing, c.want)
		}
	}
}

// TestPartsChanged: a part that came, went or is another.
func TestPartsChanged(t *testing.T) {
	type parts = map[string]string
	for _, c := range []struct {
		name          string
		before, after parts
		want          []string
	}{
		{"none", parts{"zone": "1"}, parts{"zone": "1"}, nil},
		{"came", nil, parts{"zone": "1", "except": "2"}, []string{"except", "zone"}},
		{"went", parts{"zone": "1", "except": "2"}, parts{"zone": "1"}, []string{"except"}},
		{"another", parts{"zone": "1", "trap": "2"}, parts{"zone": "1", "trap": "3"}, []string{"trap"}},
	} {
		if diff := cmp.Diff(c.want, PartsChanged(c.before, c.after)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
