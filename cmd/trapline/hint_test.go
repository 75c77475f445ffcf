package main

import (
	"net/netip"
	"testing"

	"github.com/trapline/trapline/parser"
)

// TestHint: a search that ends without a source names what would help, and repeats nothing in a
// command line that is not a host's name.
func TestHint(t *testing.T) {
	at := func(ip, by string) parser.Hop {
		return parser.Hop{IP: netip.MustParseAddr(ip), By: by}
	}
	by := func(name string) []parser.Hop { return []parser.Hop{{By: name}} }
	relay := at("192.0.2.10", "")
	for _, c := range []struct {
		name   string
		reason parser.Reason
		hops   []parser.Hop
		claims []parser.Hop
		want   string
	}{
		{"a source", parser.UntrustedPeer, []parser.Hop{relay}, nil, ""},
		{"nothing to start from", parser.NoTrustedStart, by("mx1.corp.example"), nil,
			"if you know that mx1.corp.example wrote line 0, give --trust-host mx1.corp.example"},
		{"nothing to start from, behind a queue's line", parser.NoTrustedStart,
			[]parser.Hop{{}, {N: 1, By: "mx1.corp.example"}}, nil,
			"if you know that mx1.corp.example wrote line 1, give --trust-host mx1.corp.example"},
		{"nobody to start from", parser.NoTrustedStart, by(""), nil, ""},
		{"a machine inside of Gmail", parser.NoTrustedStart, by("2002:a05:6a10:3b04::"), nil, ""},
		{"a command for a name", parser.NoTrustedStart, by("$(reboot)"), nil, ""},
		{"a flag for a name", parser.NoTrustedStart, by("--trust-local"), nil, ""},
		{"two words for a name", parser.NoTrustedStart, by("a b"), nil, ""},
		{"another name", parser.WrongBy, []parser.Hop{relay, {By: "mx9.example"}}, nil,
			"if 192.0.2.10 is your relay mx9.example, give --trust 192.0.2.10=mx9.example"},
		{"another name that is none", parser.WrongBy, []parser.Hop{relay, {By: "2002:a05::"}}, nil, ""},
		{"another name behind a queue's line", parser.WrongBy, []parser.Hop{relay, {}, {By: "mx9.example"}}, nil,
			"if 192.0.2.10 is your relay mx9.example, give --trust 192.0.2.10=mx9.example"},
		{"another name behind nothing but a queue's line", parser.WrongBy, []parser.Hop{{}, {By: "mx9.example"}},
			nil, ""},
		{"another name, by nobody", parser.WrongBy, by("mx9.example"), nil, ""},
		{"no line", parser.NoReceived, nil, nil, "if you know who handed it over, give --peer"},
		{"no line of a relay's", parser.NoReceived, []parser.Hop{relay}, nil, "if 192.0.2.10 writes no " +
			"Received line, do not name it as a relay: it is the source of what it relays"},
		{"no readable line", parser.UnreadableReceived, []parser.Hop{relay, {}}, nil,
			"no flag makes the line readable: have the host that wrote it write its usual one"},
		{"loopback", parser.SpecialAddress, []parser.Hop{at("127.0.0.1", "")}, nil,
			"if only content filters submit over loopback there, give --trust-loopback"},
		{"a host within", parser.SpecialAddress, []parser.Hop{at("10.1.2.3", "")}, by("in.corp.example"),
			"if 10.1.2.3 is your own relay in.corp.example, give --trust 10.1.2.3=in.corp.example"},
		{"a host within that wrote nothing", parser.SpecialAddress, []parser.Hop{at("fd00::1", "")}, nil,
			"if fd00::1 is your own relay, give --trust fd00::1=NAME, the name behind its by"},
		{"a tunnel", parser.SpecialAddress, []parser.Hop{at("2002:c633:6407::1", "")}, by("x.example"), ""},
		{"a user", parser.LocalSubmission, by("mx1.corp.example"), nil,
			"if nobody submits there but programs that hand on mail, give --trust-local"},
		{"our own mail", parser.AllTrusted, []parser.Hop{relay}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := hintFor(parser.Trace{Reason: c.reason, Hops: c.hops, Claims: c.claims})
			if got != c.want {
				t.Errorf("hint = %q, want %q", got, c.want)
			}
		})
	}
}
