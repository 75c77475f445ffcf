package trap

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	april := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	d, err := NewDirectory([]Rule{
		{Domain: "Traps.Example.", Class: Trap, Kind: "domain"},
		{Domain: "*.traps.example", Class: Trap, Kind: "below"},
		{Domain: "*.deep.traps.example", Class: Trap, Kind: "deeper"},
		{Domain: "old.example", Class: Trap, State: StateResting},
		{Domain: "later.example", Class: Trap, Kind: "recycled", ActiveFrom: april},
		{Domain: "watched.example", Class: Trap, State: StateWatching, Kind: "watched"},
		{Domain: "bücher.example", Class: Trap, Kind: "idn"},
		{Address: `"Old Sales"@corp.example`, Class: Trap, Kind: "quoted"},
		{Address: "abuse@traps.example", Class: Trap, Kind: "exact"},
		{Address: "sleeper@traps.example", Class: Trap, State: StateResting},
		{Address: "Grüße@traps.example", Class: Trap, Kind: "utf8"},
		{Address: "report@reports.example", Class: Reporter, Kind: "reporter",
			Peers: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/28")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	friend, other := netip.MustParseAddr("198.51.100.3"), netip.MustParseAddr("203.0.113.9")
	for _, test := range []struct {
		recipient string
		peer      netip.Addr
		class     Class
		address   string
		kind      string
	}{
		{"x@traps.example", other, Trap, "x@traps.example", "domain"},
		{"X@TRAPS.Example", other, Trap, "x@traps.example", "domain"},
		{"x@traps.example.", other, Trap, "x@traps.example", "domain"},
		{`"x"@traps.example`, other, Trap, "x@traps.example", "domain"},
		{`"x\y"@traps.example`, other, Trap, "xy@traps.example", "domain"},
		{`x."y"@traps.example`, other, Trap, "x.y@traps.example", "domain"},
		{`"a@b"@traps.example`, other, Trap, `"a@b"@traps.example`, "domain"},
		{"a@b@traps.example", other, Trap, `"a@b"@traps.example`, "domain"},
		{"x@a.traps.example", other, Trap, "x@a.traps.example", "below"},
		{"x@a.b.traps.example", other, Trap, "x@a.b.traps.example", "below"},
		{"x@deep.traps.example", other, Trap, "x@deep.traps.example", "below"},
		{"x@a.deep.traps.example", other, Trap, "x@a.deep.traps.example", "deeper"},
		{"x@xtraps.example", other, Stranger, "x@xtraps.example", ""},
		{"\"a\x00b\"@traps.example", other, Stranger, "\"a\x00b\"@traps.example", ""},
		{"a\x1b[2J@traps.example", other, Stranger, "\"a\x1b[2j\"@traps.example", ""},
		{strings.Repeat("x", 64) + "@traps.example", other, Trap,
			strings.Repeat("x", 64) + "@traps.example", "domain"},
		{strings.Repeat("x", 65) + "@traps.example", other, Stranger,
			strings.Repeat("x", 65) + "@traps.example", ""},
		{"x@example", other, Stranger, "x@example", ""},
		{"x@old.example", other, Resting, "x@old.example", ""},
		{"x@later.example", other, Resting, "x@later.example", "recycled"},
		{"x@watched.example", other, Trap, "x@watched.example", "watched"},
		{"x@BÜCHER.example", other, Trap, "x@xn--bcher-kva.example", "idn"},
		{"x@xn--bcher-kva.example", other, Trap, "x@xn--bcher-kva.example", "idn"},
		{"x@XN--BCHER-KVA.example", other, Trap, "x@xn--bcher-kva.example", "idn"},
		{"gru\u0308ße@traps.example", other, Trap, "grüße@traps.example", "utf8"},
		{`"OLD sales"@corp.example`, other, Trap, `"old sales"@corp.example`, "quoted"},
		{"someone@corp.example", other, Stranger, "someone@corp.example", ""},
		{"postmaster@corp.example", other, Stranger, "postmaster@corp.example", ""},
		{"sleeper@traps.example", other, Resting, "sleeper@traps.example", ""},
		{"abuse@traps.example", other, Trap, "abuse@traps.example", "exact"},
		{"abuse@a.traps.example", other, Mailbox, "abuse@a.traps.example", ""},
		{"Postmaster@traps.example", other, Mailbox, "postmaster@traps.example", ""},
		{"postmaster@old.example", other, Mailbox, "postmaster@old.example", ""},
		{"postmaster", other, Mailbox, "postmaster", ""},
		{"POSTMASTER", other, Mailbox, "postmaster", ""},
		{"abuse", other, Stranger, "abuse", ""},
		{"postmaster@elsewhere.example", other, Stranger, "postmaster@elsewhere.example", ""},
		{"report@reports.example", friend, Reporter, "report@reports.example", "reporter"},
		{"report@reports.example", other, Stranger, "report@reports.example", ""},
		{"report@reports.example", netip.Addr{}, Stranger, "report@reports.example", ""},
		{"", other, Stranger, `""`, ""},
		{"@", other, Stranger, `""`, ""},
		{"@traps.example", other, Trap, `""@traps.example`, "domain"},
		{"x@[192.0.2.1]", other, Stranger, "x@[192.0.2.1]", ""},
		{"x@under_score.traps.example", other, Trap, "x@under_score.traps.example", "below"},
		{"x@\xff.example", other, Stranger, "x@\uFFFD.example", ""},
	} {
		got := d.Match(test.recipient, test.peer, noon())
		kind := ""
		if got.Rule != nil {
			kind = got.Rule.Kind
		}
		if got.Class != test.class || got.Address != test.address || kind != test.kind {
			t.Errorf("%q: %s %q by %q, want %s %q by %q", test.recipient,
				got.Class, got.Address, kind, test.class, test.address, test.kind)
		}
		if again := NormalAddress(got.Address); again != got.Address {
			t.Errorf("%q: normalised twice is %q, once %q", test.recipient, again, got.Address)
		}
	}
	if got := d.Match("x@later.example", other, april); got.Class != Trap {
		t.Errorf("from its first instant a trap is %s", got.Class)
	}
}

func TestNewDirectory(t *testing.T) {
	for _, test := range []struct {
		name  string
		rules []Rule
		want  string
	}{
		{"nothing named", []Rule{{Class: Trap}}, "add rule 1: need either an address or a domain"},
		{"both named", []Rule{{Class: Trap, Address: "a@b", Domain: "b"}},
			"add rule 1: need either an address or a domain"},
		{"no class", []Rule{{Address: "a@b"}}, "add rule 1: class stranger is neither trap nor reporter"},
		{"no domain", []Rule{{Class: Trap, Address: "postmaster"}}, "add rule 1: address has no domain"},
		{"reporter with a domain", []Rule{{Class: Reporter, Domain: "b"}},
			"add rule 1: a reporter needs an exact address"},
		{"twice", []Rule{{Class: Trap, Address: "a@b"}, {Class: Reporter, Address: `"A"@B.`}},
			"add rule 2: an earlier rule is for the same recipients"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := NewDirectory(test.rules); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestPath(t *testing.T) {
	for _, test := range []struct{ line, path, parameters string }{
		{"RCPT TO:<a@b>", "a@b", ""},
		{"rcpt to:<a@b> NOTIFY=NEVER", "a@b", " NOTIFY=NEVER"},
		{"RCPT TO: <a@b>", "a@b", ""},
		{"RCPT TO : <a@b>", "a@b", ""},
		{"RCPT TO <a@b>", "a@b", ""},
		{"RCPT <a@b>", "a@b", ""},
		{"RCPT TO:a@b", "a@b", ""},
		{"RCPT TO:a@b X=1", "a@b", " X=1"},
		{"RCPT TO:<a@b X=1", "a@b", " X=1"},
		{"RCPT TO:a@b>", "a@b", ""},
		{"RCPT TO:<<a@b>>", "a@b", ""},
		{"RCPT TO:< a@b >", "a@b", ""},
		{`RCPT TO:<"a>b c"@d> X`, `"a>b c"@d`, " X"},
		{`RCPT TO:<"a\"b"@d>`, `"a\"b"@d`, ""},
		{`RCPT TO:<"a@d> X`, `"a@d`, " X"},
		{"RCPT TO:Joe <joe@b>", "joe@b", ""},
		{"RCPT TO:<@one,@two:a@b>", "a@b", ""},
		{"RCPT TO:<>", "", ""},
		{"RCPT\tTO:<a@b>", "a@b", ""},
		{"RCPT", "", ""},
	} {
		path, parameters := splitCommand(test.line).path("TO")
		if path != test.path || parameters != test.parameters {
			t.Errorf("%s: %q and %q, want %q and %q", test.line, path, parameters,
				test.path, test.parameters)
		}
	}
}

func TestDeclaredSize(t *testing.T) {
	for parameters, want := range map[string]int64{
		"": 0, " SIZE=1": 1, " size=22 BODY=8BITMIME": 22, " SIZE": 0, " SIZE=x": 0, " SIZE=-1": 0,
		" SIZE=99999999999999999999": 1<<63 - 1, " XSIZE=1": 0,
	} {
		if got := declaredSize(parameters); got != want {
			t.Errorf("%q: %d, want %d", parameters, got, want)
		}
	}
}
