package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/trapline/trapline/criteria"
)

func TestOrderCheck(t *testing.T) {
	const good = "198.51.100.0/24"
	for _, c := range []struct {
		name, act, network, reason string
		seconds                    int64
		want                       string // in the refusal; "" for none
	}{
		{"listed network", "list", good, "r", 0, ""},
		{"listed address", "list", "198.51.100.7/32", "r", 60, ""},
		{"listed as wide as the zone", "list", "2001:db8::/48", "r", 0, ""},
		{"listed wider than the zone", "list", "198.51.100.0/23", "r", 0, "wider than a /24"},
		{"IPv6 listed wider than the zone", "list", "2001:db8::/47", "r", 0, "wider than a /48"},
		{"delisted wider", "delist", "0.0.0.0/0", "r", 0, "wider than a /24"},
		{"excepted as wide as may be", "except", "10.0.0.0/8", "r", 0, ""},
		{"excepted wider", "except", "10.0.0.0/7", "r", 0, "wider than a /8"},
		{"IPv6 excepted as wide as may be", "except", "2001::/16", "r", 0, ""},
		{"IPv6 excepted wider", "except", "2000::/15", "r", 0, "wider than a /16"},
		{"taken back however wide", "unexcept", "0.0.0.0/0", "", 0, ""},
		{"host bits", "list", "198.51.100.7/24", "r", 0, "is not a network"},
		{"IPv4 as IPv6", "list", "::ffff:198.51.100.0/120", "r", 0, "is not a network"},
		{"no network", "list", "", "r", 0, "is not a network"},
		{"no reason", "except", good, "", 0, "reason is empty"},
		{"blank reason", "except", good, " \u00a0", 0, "reason is empty"},
		{"longest reason", "except", good, strings.Repeat("x", MostReason), 0, ""},
		{"longer reason", "except", good, strings.Repeat("x", MostReason+1), 0, "501 bytes"},
		{"line break", "except", good, "a\nb", 0, "does not print"},
		{"escape", "except", good, "a\x1b[31mb", 0, "does not print"},
		{"right to left", "except", good, "a\u202eb", 0, "does not print"},
		{"no UTF-8", "except", good, "a\xffb", 0, "does not print"},
		{"other letters", "except", good, "ÿ – 垃圾邮件", 0, ""},
		{"taken back with a bad reason", "unexcept", good, "\x00", 0, "does not print"},
		{"negative duration", "list", good, "r", -1, "duration"},
		{"endless duration", "list", good, "r", 1 << 40, "duration"},
		{"another act", "policy", good, "r", 0, "is no order"},
		{"no act", "", good, "r", 0, "is no order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, _ := netip.ParsePrefix(c.network) // "" has none
			err := Order{criteria.Act(c.act), n, c.reason, c.seconds}.Check()
			var p *ProblemError
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && !errors.As(err, &p):
				t.Errorf("got %v, want a problem", err)
			case c.want != "" && (!strings.Contains(err.Error(), c.want) || p.Hint == "" ||
				p.Status != http.StatusBadRequest):
				t.Errorf("got %+v, want %q with a mend", p, c.want)
			}
		})
	}
}

// FuzzOrder: whatever comes over the socket, what passes the check is a decision that the ledger
// takes and a line that a terminal may show.
func FuzzOrder(f *testing.F) {
	for _, seed := range []string{
		`{"act":"list","network":"198.51.100.0/24","reason":"r","for":60}`,
		`{"act":"except","network":"2001:db8::/32","reason":"r"}`,
		`{"act":"unexcept","network":"::ffff:1.2.3.4/128","reason":""}`,
		`{"act":"delist","network":"fe80::%1/64","reason":"\u202e"}`, `null`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var o Order
		if json.Unmarshal(body, &o) != nil || o.Check() != nil {
			return
		}
		d := criteria.Decision{Act: o.Act, Network: o.Network, Reason: o.Reason}
		if err := d.Check(); err != nil {
			t.Errorf("%s passes, but not the ledger: %v", body, err)
		}
		if len(o.Reason) > MostReason || strings.ContainsAny(o.Reason, "\x00\x07\x1b\r\n\u202e\u2028") {
			t.Errorf("%q is taken as a reason", o.Reason)
		}
	})
}
