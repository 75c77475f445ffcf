package dispute

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

func TestFormsInOrder(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Form)
		why    Refusal // "": it is taken
	}{
		{"as it should be", func(*Form) {}, ""},
		{"mapped address", func(f *Form) { f.Address = netip.MustParseAddr("::ffff:" + ours) }, ""},
		{"a page as contact", func(f *Form) { f.Contact = "https://victim.example/contact?x=1" }, ""},
		{"no address", func(f *Form) { f.Address = netip.Addr{} }, BadForm},
		{"no claim", func(f *Form) { f.Claim = "" }, BadForm},
		{"unknown claim", func(f *Form) { f.Claim = "please" }, BadForm},
		{"no statement", func(f *Form) { f.Statement = " \n\t" }, BadForm},
		{"long statement", func(f *Form) { f.Statement = strings.Repeat("x", MostStatement+1) }, BadForm},
		{"no relation", func(f *Form) { f.Relation = "" }, BadForm},
		{"long relation", func(f *Form) { f.Relation = strings.Repeat("x", MostRelation+1) }, BadForm},
		{"no contact", func(f *Form) { f.Contact = "" }, BadForm},
		{"a word as contact", func(f *Form) { f.Contact = "me" }, BadForm},
		{"two contacts", func(f *Form) { f.Contact = "a@x.example, b@x.example" }, BadForm},
		{"a contact with a name", func(f *Form) { f.Contact = "Me <a@x.example>" }, BadForm},
		{"a script as contact", func(f *Form) { f.Contact = "javascript:alert(1)" }, BadForm},
		{"a password in the contact", func(f *Form) { f.Contact = "https://a:b@x.example/" }, BadForm},
		{"long contact", func(f *Form) { f.Contact = "https://x.example/" + strings.Repeat("x", MostContact) }, BadForm},
		{"not listed", func(f *Form) { f.Address = netip.MustParseAddr("198.51.100.8") }, NotListed},
		{"fixed, please delist", func(f *Form) { f.Claim = Fixed }, NotADispute},
	} {
		t.Run(c.name, func(t *testing.T) {
			court := newCourt(t)
			f := filled(ours, elsewhere)
			c.change(&f)
			k, err := court.File(t.Context(), f)
			if c.why == "" {
				if err != nil || k.State != Filed || k.Subject.String() != ours {
					t.Errorf("filed %+v: %v", k, err)
				}
				return
			}
			r := refusal(t, err, c.why)
			if r.Message == "" || r.Hint == "" {
				t.Errorf("no kind words: %+v", r)
			}
			if len(court.Cases()) > 0 || len(court.decisions) > 0 {
				t.Error("and yet something was kept")
			}
		})
	}
}

// A listing is not ended early. When it ends is for the page to tell, which leaves out what is
// younger than the hour: a refusal that told it would tell a sender which address is a trap.
func TestFixedIsToldNoInstant(t *testing.T) {
	c := newCourt(t)
	f := filled(ours, ours)
	f.Claim = Fixed
	_, err := c.File(t.Context(), f)
	before := refusal(t, err, NotADispute)
	c.forward(59 * time.Minute)
	c.hits[unit(ours)] = append(c.hits[unit(ours)], 9)
	_, err = c.File(t.Context(), f)
	if after := refusal(t, err, NotADispute); *after != *before || after.Until != 0 {
		t.Errorf("before a hit %+v, and then %+v", before, after)
	}
	c.manual[unit(ours)] = criteria.Operator
	_, err = c.File(t.Context(), f)
	if r := refusal(t, err, NotOffered); r.Until != 0 {
		t.Errorf("the operator's listing ends at %s", r.Until)
	}
}

func TestTextsArePlain(t *testing.T) {
	c := newCourt(t)
	f := filled(ours, elsewhere)
	f.Statement = "  one\r\ntwo\x1b[31m\u202ethree\x00\xff\t.  "
	f.Relation = "its\nowner"
	p := c.file(f).Private
	if p.Statement != "one\ntwo [31m three ? ." || p.Relation != "its owner" {
		t.Errorf("kept %q, %q", p.Statement, p.Relation)
	}
}

// Who may open a dispute by where the form comes from.
func TestFiledFromTheAddress(t *testing.T) {
	for _, c := range []struct {
		name, address, peer string
		state               State
	}{
		{"the address", ours, ours, Open},
		{"mapped", ours, "::ffff:" + ours, Open},
		{"a neighbour", ours, "198.51.100.8", Filed},
		{"elsewhere", ours, elsewhere, Filed},
		{"its /64", six, "2001:db8:1:2:ffff::1", Open},
		{"the next /64", six, "2001:db8:1:3::25", Filed},
		{"the other family", six, ours, Filed},
	} {
		t.Run(c.name, func(t *testing.T) {
			court := newCourt(t)
			k := court.file(filled(c.address, c.peer))
			if k.State != c.state {
				t.Errorf("it is %s", k.State)
			}
			if want := map[State]string{Open: "opened", Filed: ""}[c.state]; court.acts() != want {
				t.Errorf("the ledger has %q, want %q", court.acts(), want)
			}
			court.sameAfterRestart()
		})
	}
}

// A form without a proof keeps nobody from disputing.
func TestFormsDoNotBlock(t *testing.T) {
	c := newCourt(t)
	stranger := c.file(filled(ours, elsewhere))
	owner := c.file(filled(ours, ours))
	c.want(stranger.ID, Filed)
	c.want(owner.ID, Open)
}

func TestCoolDown(t *testing.T) {
	c := newCourt(t)
	k := c.file(filled(ours, ours))
	if _, err := c.Reject(t.Context(), "uid 0", k.ID, "it sends to traps"); err != nil {
		t.Fatal(err)
	}
	// The same proof is not enough now, but another one may be.
	again := c.file(filled(ours, ours))
	c.want(again.ID, Filed)
	_, err := c.Prove(t.Context(), again.ID, netip.MustParseAddr(ours))
	if r := refusal(t, err, CoolingDown); r.ID != k.ID || r.Until.Time() != start.Add(CoolDown) {
		t.Errorf("refused for %q until %s", r.ID, r.Until)
	}
	c.publish(again.ID)
	c.forward(checkEvery)
	if _, err := c.Prove(t.Context(), again.ID, netip.MustParseAddr(elsewhere)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reject(t.Context(), "uid 0", again.ID, "it still does"); err != nil {
		t.Fatal(err)
	}
	_, err = c.File(t.Context(), filled(ours, ours))
	refused(t, err, CoolingDown)
	c.sameAfterRestart()
	c.forward(CoolDown - time.Second)
	_, err = c.File(t.Context(), filled(ours, ours))
	refused(t, err, CoolingDown)
	c.forward(time.Second)
	c.want(c.file(filled(ours, ours)).ID, Open)
	// Another address never was cooling down.
	c.want(c.file(filled(six, six)).ID, Open)
}

// peerOf is an address of one of many networks.
func peerOf(i int) string { return fmt.Sprintf("203.%d.%d.9", i>>8, i&255) }

// A flood from everywhere for everything is bounded, on disk too.
func TestFloodOfForms(t *testing.T) {
	c := newCourt(t)
	for i := range mostFiled - 2 { // as if filed: to write them safely takes a while
		k := filled(peerOf(i), peerOf(i+10000)).caseOf(newID(), criteria.Source{Prefix: unit(peerOf(i))}, c.now())
		text, err := json.Marshal(form{k.ID, k.Address, k.Subject, k.Claim, k.Filed, *k.Private})
		if err == nil {
			err = os.WriteFile(c.forms.path(k.ID), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c.restart()
	for i := range 10 {
		listed := peerOf(mostFiled + i)
		c.hits[unit(listed)] = []uint64{1, 2}
		c.forward(time.Second)
		c.file(filled(listed, peerOf(mostFiled+10000+i)))
		forms, errs := c.forms.read()
		if n, want := c.Standing().Filed, min(mostFiled, mostFiled-1+i); n != want || len(forms) != want || len(errs) > 0 {
			t.Fatalf("%d forms, %d files, %v; want %d", n, len(forms), errs, want)
		}
	}
	if c.acts() != "" {
		t.Error("the ledger grew")
	}
	// The owner of an address is heard all the same.
	c.want(c.file(filled(ours, ours)).ID, Open)
}

// bots open so many disputes from their addresses, each a while after the one before it.
func (c *court) bots(n int, apart time.Duration) {
	c.Helper()
	for i := range n {
		bot := netip.MustParseAddr(peerOf(i))
		c.hits[unit(peerOf(i))] = []uint64{1, 2}
		d := criteria.Decision{Act: criteria.ActDispute, Who: requester, Name: fmt.Sprintf("bot%d", i),
			Network: unit(peerOf(i)), Dispute: &criteria.Dispute{Step: criteria.StepOpened, Address: bot,
				Claim: string(Technical), Filed: c.now(), Proof: string(ByAddress)}}
		if err := c.Decide(c.Context(), d); err != nil {
			c.Fatal(err)
		}
		c.forward(apart)
	}
	c.restart()
}

// Whoever has many listed hosts opens so many a day, and a TXT has no such limit.
func TestFloodFromTheAddresses(t *testing.T) {
	c := newCourt(t)
	c.bots(mostByAddress-1, 0)
	bot := peerOf(mostByAddress)
	c.hits[unit(bot)] = []uint64{1, 2}
	c.want(c.file(filled(bot, bot)).ID, Open)
	k := c.file(filled(ours, ours))
	c.want(k.ID, Filed)
	if s := c.Standing(); s.Open != mostByAddress || s.Filed != 1 {
		t.Errorf("%+v", s)
	}
	_, err := c.Prove(t.Context(), k.ID, netip.MustParseAddr(ours))
	refused(t, err, Busy)
	c.publish(k.ID)
	c.forward(checkEvery)
	if _, err := c.Prove(t.Context(), k.ID, netip.MustParseAddr(elsewhere)); err != nil {
		t.Fatal(err)
	}
	if first := c.Cases()[0]; first.ID != k.ID {
		t.Errorf("a form with a TXT is not shown first: %+v", first)
	}
	c.forward(24 * time.Hour)
	c.want(c.file(filled(six, six)).ID, Open)
}

// With too many open ones the oldest without a TXT gives way.
func TestTooManyOpen(t *testing.T) {
	c := newCourt(t)
	c.bots(mostOpen, 10*time.Minute) // 144 a day
	c.want("bot0", Open)
	c.want(c.file(filled(ours, ours)).ID, Open)
	c.want("bot0", Expired)
	c.want("bot1", Open)
	if n := c.Standing().Open; n != mostOpen {
		t.Errorf("%d are open", n)
	}
	c.sameAfterRestart()
}

// A ledger that takes nothing leaves a form, and says so.
func TestLedgerFails(t *testing.T) {
	c := newCourt(t)
	c.broken = fmt.Errorf("disk full")
	k, err := c.File(t.Context(), filled(ours, ours))
	if err == nil || k.State != Filed {
		t.Fatalf("%+v, %v", k, err)
	}
	c.broken = nil
	if _, err := c.Prove(t.Context(), k.ID, netip.MustParseAddr(ours)); err != nil {
		t.Fatal(err)
	}
	c.want(k.ID, Open)
	c.sameAfterRestart()
}
