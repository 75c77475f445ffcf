package dispute

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trapline/trapline/criteria"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ network, want string }{
		{"198.51.100.7/32", "_trapline.7.100.51.198.in-addr.arpa."},
		{"2001:db8:1:2::/64", "_trapline.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."},
		{"2001:db8:1::/48", "_trapline.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."},
		{"2001:db8:1:c000::/50", "_trapline.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."}, // within a digit
		{"2001:db8::1/128", "_trapline.1." + strings.Repeat("0.", 23) + "8.b.d.0.1.0.0.2.ip6.arpa."},
	} {
		if got := nameOf(netip.MustParsePrefix(c.network)); got != c.want {
			t.Errorf("%s: %s, want %s", c.network, got, c.want)
		}
	}
}

// TestTokens: a token is good for one address, one dispute and one day, and nobody makes it
// who does not have the secret.
func TestTokens(t *testing.T) {
	now := criteria.At(start)
	mine := newTokens([]byte("ours"))
	k := &Case{ID: "aaaaaaaaaaaaaaaa", Subject: criteria.Source{Prefix: unit(ours)}}
	other := &Case{ID: "bbbbbbbbbbbbbbbb", Subject: k.Subject}
	next := &Case{ID: k.ID, Subject: criteria.Source{Prefix: unit("198.51.100.8")}}
	good := mine.challenge(k, now).Text
	for _, c := range []struct {
		name, record string
		at           criteria.Second
		want         bool
	}{
		{"at once", good, now, true},
		{"with blanks around", " " + good + "\n", now, true},
		{"in its last second", good, now + 86399, true},
		{"expired", good, now + 86400, false},
		{"of another dispute", mine.challenge(other, now).Text, now, false},
		{"of another address", mine.challenge(next, now).Text, now, false},
		{"of another store", newTokens([]byte("theirs")).challenge(k, now).Text, now, false},
		{"of yesterday, with another end", strings.Replace(mine.challenge(k, now-86400).Text,
			fmt.Sprint(int64(now)), fmt.Sprint(int64(now)+86400), 1), now, false},
		{"signed for too long", mine.token(k, now+86401), now, false},
		{"a bit less", good[:len(good)-1], now, false},
		{"a bit more", good + "a", now, false},
		{"in capitals", strings.ToUpper(good), now, false},
		{"without the word", strings.TrimPrefix(good, tokenPrefix), now, false},
		{"without a signature", good[:strings.LastIndex(good, "-")+1], now, false},
		{"a number of another spelling", strings.Replace(good, "=", "=+", 1), now, false},
		{"endless", good + strings.Repeat(" ", 10) + strings.Repeat("x", 70000), now, false},
		{"nothing", "", now, false},
	} {
		if got := mine.proves(c.record, k, c.at); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	if again := mine.challenge(k, now+3599); again.Text != good {
		t.Error("within the hour the token is another one")
	}
}

// FuzzTokens: of all texts, only those prove anything that a page has shown in the day
// before.
func FuzzTokens(f *testing.F) {
	now := criteria.At(start)
	tokens := newTokens([]byte("ours"))
	k := &Case{ID: "aaaaaaaaaaaaaaaa", Subject: criteria.Source{Prefix: unit(ours)}}
	shown := map[string]bool{}
	for back := range criteria.Second(24) {
		shown[tokens.challenge(k, now-3600*back).Text] = true
	}
	good := tokens.challenge(k, now).Text
	f.Add(good)
	f.Add(good[:20])
	f.Add(tokenPrefix + "-9223372036854775808-")
	f.Add(strings.Replace(good, "=", "=0", 1))
	f.Fuzz(func(t *testing.T, record string) {
		if tokens.proves(record, k, now) && !shown[strings.TrimSpace(record)] {
			t.Errorf("%q proves control", record)
		}
	})
}

func TestProveByTXT(t *testing.T) {
	for _, c := range []struct {
		name    string
		records func(token string) []string
		mute    error
		want    Refusal // "": proven
	}{
		{"the token alone", func(token string) []string { return []string{token} }, nil, ""},
		{"among others", func(token string) []string { return []string{"v=spf1 -all", "", token} }, nil, ""},
		{"none", func(string) []string { return nil }, nil, NoProof},
		{"another", func(string) []string { return []string{tokenPrefix + "1-x"} }, nil, NoProof},
		{"behind thousands", func(token string) []string {
			return append(make([]string, 10000), token)
		}, nil, NoProof},
		{"no answer", func(string) []string { return nil }, context.DeadlineExceeded, NoProof},
		{"a server that fails", func(string) []string { return nil }, errors.New("servfail"), NoProof},
	} {
		t.Run(c.name, func(t *testing.T) {
			court := newCourt(t)
			k := court.file(filled(six, elsewhere))
			h, _ := court.Challenge(k.ID)
			court.dns[h.Name], court.mute = c.records(h.Text), c.mute
			_, err := court.Prove(t.Context(), k.ID, netip.MustParseAddr(elsewhere))
			if c.want != "" {
				refused(t, err, c.want)
				court.want(k.ID, Filed)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			court.want(k.ID, Open)
			court.sameAfterRestart()
		})
	}
}

// Both proofs of a dispute are recorded, each once.
func TestBothProofs(t *testing.T) {
	c := newCourt(t)
	k := c.file(filled(ours, ours))
	c.publish(k.ID)
	for range 2 {
		c.forward(checkEvery)
		if _, err := c.Prove(t.Context(), k.ID, netip.MustParseAddr(ours)); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(c.find(k.ID).Proofs); got != "[address txt]" || c.acts() != "opened proved" {
		t.Errorf("proofs %s, ledger %q", got, c.acts())
	}
	c.sameAfterRestart()
}

func TestChecksAreFew(t *testing.T) {
	c := newCourt(t)
	k := c.file(filled(ours, elsewhere))
	other := c.file(filled(six, elsewhere))
	_, err := c.Prove(t.Context(), k.ID, netip.Addr{})
	refused(t, err, NoProof)
	_, err = c.Prove(t.Context(), k.ID, netip.Addr{})
	refused(t, err, Busy)
	_, err = c.Prove(t.Context(), other.ID, netip.Addr{})
	refused(t, err, NoProof)
	c.forward(checkEvery)
	_, err = c.Prove(t.Context(), k.ID, netip.Addr{})
	refused(t, err, NoProof)
	_, err = c.Prove(t.Context(), "aaaaaaaaaaaaaaaa", netip.Addr{})
	refused(t, err, Unknown)
}

// A reverse zone whose servers never answer holds up a few checks for three seconds each,
// and nothing else.
func TestChecksAreBounded(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := &court{T: t, dir: dir, at: start}
		c.Clerk = Load(Config{Dir: dir, Ledger: c, Observer: c, Now: c.time,
			TXT: func(ctx context.Context, _ string) ([]string, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}})
		k := Case{ID: "aaaaaaaaaaaaaaaa", Subject: criteria.Source{Prefix: unit(ours)}}
		began, results := time.Now(), make(chan error, mostChecks)
		for range mostChecks {
			go func() { results <- c.check(t.Context(), k) }()
		}
		synctest.Wait()
		refused(t, c.check(t.Context(), k), Busy)
		for range mostChecks {
			refused(t, <-results, NoProof)
		}
		if took := time.Since(began); took != checkTimeout {
			t.Errorf("it took %s", took)
		}
	})
}

func TestRemove(t *testing.T) {
	claims := map[Claim]string{Fixed: "", Technical: "opened "}
	for claim, before := range claims {
		t.Run(string(claim), func(t *testing.T) {
			c := newCourt(t)
			c.self = true
			f := filled(ours, ours)
			f.Claim = claim
			k := c.file(f)
			_, err := c.Remove(t.Context(), k.ID)
			refused(t, err, NoProof)
			c.forward(checkEvery)
			c.publish(k.ID)
			if _, err := c.Remove(t.Context(), k.ID); err != nil {
				t.Fatal(err)
			}
			c.want(k.ID, Removed)
			if c.acts() != before+"delist removed" {
				t.Errorf("the ledger has %q", c.acts())
			}
			if d := c.decisions[len(c.decisions)-2]; d.Who != "self-service "+k.ID || d.Network != unit(ours) {
				t.Errorf("the removal is %+v", d)
			}
			c.sameAfterRestart()
			_, err = c.Remove(t.Context(), k.ID)
			refused(t, err, Over)
		})
	}
}

// A listing removes itself once, and the next one not for a week.
func TestRemoveOnce(t *testing.T) {
	c := newCourt(t)
	c.self = true
	f := filled(ours, elsewhere)
	f.Claim = Fixed
	k, later := c.file(f), c.file(f)
	c.publish(k.ID)
	c.publish(later.ID)
	if _, err := c.Remove(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	_, err := c.Remove(t.Context(), later.ID)
	refused(t, err, NotListed)
	c.hits[unit(ours)] = []uint64{9001, 9002}
	c.forward(checkEvery)
	_, err = c.Remove(t.Context(), later.ID)
	if r := refusal(t, err, CoolingDown); r.ID != k.ID {
		t.Errorf("refused for %q", r.ID)
	}
	c.restart()
	_, err = c.File(t.Context(), f)
	refused(t, err, CoolingDown)
	c.want(c.file(filled(ours, ours)).ID, Open) // it can still be disputed
	c.forward(CoolDown)
	c.file(f)
}

func TestRemoveIsOffered(t *testing.T) {
	c := newCourt(t)
	k := c.file(filled(ours, elsewhere))
	c.publish(k.ID)
	_, err := c.Remove(t.Context(), k.ID)
	refused(t, err, NotADispute)
	c.self = true
	for _, answer := range []criteria.Answer{criteria.Operator, criteria.Network} {
		c.manual[unit(ours)] = answer
		_, err = c.Remove(t.Context(), k.ID)
		refused(t, err, NotOffered)
	}
	c.manual[unit(ours)] = criteria.Spam
	c.ended[unit(ours)] = true
	_, err = c.Remove(t.Context(), k.ID)
	refused(t, err, NotListed)
	_, err = c.Remove(t.Context(), "aaaaaaaaaaaaaaaa")
	refused(t, err, Unknown)
	if c.acts() != "" {
		t.Errorf("the ledger has %q", c.acts())
	}
}

// What only asks for a removal is never a dispute.
func TestFixedNeverOpens(t *testing.T) {
	c := newCourt(t)
	c.self = true
	f := filled(ours, ours)
	f.Claim, f.Statement = Fixed, ""
	k := c.file(f)
	c.publish(k.ID)
	_, err := c.Prove(t.Context(), k.ID, netip.MustParseAddr(ours))
	refused(t, err, NotADispute)
	c.want(k.ID, Filed)
}
