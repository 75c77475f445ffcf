package judge

import (
	"net/netip"
	"testing"

	"github.com/trapline/trapline/criteria"
)

// TestTrustIsNoted: whose lines are believed is noted when it becomes another, and nowhere else;
// where nobody ever was trusted, there is nothing to note.
func TestTrustIsNoted(t *testing.T) {
	basis := Settings{Policy: criteria.DefaultPolicy()}
	full := criteria.Trust{Hosts: []string{"mx1.corp.example"}, Loopback: true,
		Relays: []criteria.TrustedRelay{{Network: netip.MustParsePrefix("192.0.2.10/32"), By: []string{"a", "b"}}},
		Reporters: []criteria.TrustedReporter{{Name: "noc", Hosts: []string{"mx"},
			Relays: []netip.Prefix{netip.MustParsePrefix("203.0.113.25/32")}}}}
	ledger := Settle(nil, basis, "config")
	noted := func(want criteria.Trust) int {
		t.Helper()
		s := basis
		s.Trust = want
		missing := Settle(ledger, s, "uid 0")
		for _, d := range missing {
			if err := d.Check(); err != nil || d.Act != criteria.ActTrust || !d.Trust.Equal(want) || d.Who != "uid 0" {
				t.Errorf("it wants %+v: %v", d, err)
			}
		}
		ledger = append(ledger, missing...)
		return len(missing)
	}
	if n := noted(criteria.Trust{}); n != 0 {
		t.Errorf("nobody is trusted, and that is noted %d times", n)
	}
	for _, change := range []func(*criteria.Trust){
		func(*criteria.Trust) {}, // the first
		func(u *criteria.Trust) { u.Hosts = nil },
		func(u *criteria.Trust) { u.Loopback = false },
		func(u *criteria.Trust) { u.LocalSubmission = true },
		func(u *criteria.Trust) { u.Relays = nil },
		func(u *criteria.Trust) {
			u.Relays = []criteria.TrustedRelay{{Network: u.Relays[0].Network, By: []string{"a"}}}
		},
		func(u *criteria.Trust) { u.Reporters = nil },
		func(u *criteria.Trust) {
			u.Reporters = []criteria.TrustedReporter{{Name: "noc", Hosts: []string{"mx"}}}
		},
		func(u *criteria.Trust) { *u = criteria.Trust{} },
	} {
		now := full
		change(&now)
		for _, want := range []int{1, 0} {
			if n := noted(now); n != want {
				t.Errorf("%+v is noted %d times, want %d", now, n, want)
			}
		}
	}
}
