package trap

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// telltales are words that would mark a trap, in lower case: our names, those of what we are made
// of, and sentences that the SMTP library is known by.
var telltales = []string{"trapline", "spamtrap", "honeypot", "golang", "go-smtp", "emersion",
	"goroutine", "panic", "x509", "roger, accepting", "make sure", "what did you say", "refused",
	"please introduce yourself", "internal server error", "session reset", "missing rcpt"}

// tellsNothing fails for what a peer has heard that it must not hear.
func tellsNothing(t testing.TB, heard string) {
	t.Helper()
	heard = strings.ToLower(heard)
	for _, word := range telltales {
		if strings.Contains(heard, word) {
			t.Errorf("a peer heard %q in %.2000q", word, heard)
		}
	}
}

// voices are those of all personas.
func voices() map[Persona]*voice {
	all := map[Persona]*voice{}
	for _, p := range []Persona{Postfix, Exim, Plain} {
		all[p] = p.voice()
	}
	return all
}

// TestVoices: each persona has a line for each reply, and none that gives us away.
func TestVoices(t *testing.T) {
	text := regexp.MustCompile(`\A([ -$&-~]|%[hpqd])+\z`)
	for p, v := range voices() {
		for r := replyNone + 1; r < replyEnd; r++ {
			l := v.lines[r]
			if l.code < 200 || l.code > 599 || !text.MatchString(l.text) {
				t.Errorf("%s says %d %q for reply %d", p, l.code, l.text, r)
			}
			if l.enhanced != "" && l.enhanced[0] != byte('0'+l.code/100) {
				t.Errorf("%s says %d %s", p, l.code, l.enhanced)
			}
			if p != Exim && r != replyNone && strings.Contains(l.text, "Exim") {
				t.Errorf("%s says %q", p, l.text)
			}
			tellsNothing(t, l.text)
		}
	}
}

// TestPromisedCodes: what is promised of a reply holds for each persona.
func TestPromisedCodes(t *testing.T) {
	promised := map[reply]string{
		replySenderOK: "250", replyRecipientOK: "250", replyQueued: "250", replyNoVerify: "252",
		replyStranger: "550 5.1.1", replyTooMany: "452 4.5.3", replyOversize: "552 5.3.4",
		replyMemory: "451 4.3.1", replyBusy: "451 4.3.0", replyFull: "452 4.3.1",
		replyConnections: "421 4.7.0", replyRate: "421 4.7.0", replyNotServed: "421",
		replyNotImplemented: "502", replyNoChunks: "502",
	}
	for p, v := range voices() {
		c := &connection{voice: v, server: &Server{config: Config{Now: noon}}}
		for r, want := range promised {
			if got := string(c.say(nil, r)); !strings.HasPrefix(got, want+" ") {
				t.Errorf("%s says %q, promised is %s", p, got, want)
			}
		}
	}
}

// TestOffers: the same to all, except that no Exim has enhanced codes to offer.
func TestOffers(t *testing.T) {
	for p, want := range map[Persona]string{
		Postfix: "PIPELINING SIZE STARTTLS ENHANCEDSTATUSCODES 8BITMIME DSN SMTPUTF8",
		Exim:    "SIZE 8BITMIME DSN PIPELINING STARTTLS SMTPUTF8",
		Plain:   "PIPELINING SIZE STARTTLS 8BITMIME ENHANCEDSTATUSCODES DSN SMTPUTF8",
	} {
		if got := strings.Join(p.voice().offers, " "); got != want {
			t.Errorf("%s offers %s, want %s", p, got, want)
		}
	}
}

// TestUsualPersona: who names none, or one that we do not know, has the commonest.
func TestUsualPersona(t *testing.T) {
	for _, p := range []Persona{"", "sendmail"} {
		if p.voice() != Postfix.voice() {
			t.Errorf("%q is not Postfix", p)
		}
	}
}

// TestPostfixIDs: they have the length and the digits of real ones, come from few inodes, and
// never the same twice in a row; another listener has other inodes.
func TestPostfixIDs(t *testing.T) {
	shape := regexp.MustCompile(`^([0-9A-F]{5})([1-9A-F][0-9A-F]{4,5})$`)
	s, inodes := newSpool(), map[string]bool{}
	for before, n := "", 0; n < 1000; n++ {
		id := s.postfixID(0, noon())
		parts := shape.FindStringSubmatch(id)
		if parts == nil || parts[1] > "F423F" || id == before {
			t.Fatalf("id %s after %s", id, before)
		}
		before, inodes[parts[2]] = id, true
	}
	if len(inodes) > queueFiles {
		t.Errorf("%d inodes", len(inodes))
	}
	for range 3 { // by chance two may be near each other
		if other := newSpool().postfixID(0, noon()); !inodes[other[5:]] {
			return
		}
	}
	t.Error("another listener has the same inodes")
}

// TestEximIDs: time and process can be read back, as anybody can who knows how.
func TestEximIDs(t *testing.T) {
	now := time.Date(2026, 11, 24, 15, 15, 9, 750_400_000, time.UTC)
	// This second and process, with an Exim: 1xVsEf-000012-2R and another half millisecond.
	got := newSpool().eximID(64, now)
	if want := "1xVsEf-000012-OC"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
	s := newSpool()
	s.process = lastProcess
	if first := s.start(); first > firstProcess+1000 {
		t.Errorf("process %d after the last", first)
	}
	if a, b := s.start(), s.start(); b <= a {
		t.Errorf("process %d after %d", b, a)
	}
}

// TestSessionsOfEachPersona: whoever is imitated, mail is taken.
func TestSessionsOfEachPersona(t *testing.T) {
	got := map[Persona]int{}
	for p := range voices() {
		s := impostor(t, p)
		for _, secure := range []bool{false, true} {
			scenes(t)[0].play(t, s.address, secure)
		}
		s.finish(t)
		got[p] = len(s.sink.all())
	}
	if diff := cmp.Diff(map[Persona]int{Postfix: 4, Exim: 4, Plain: 4}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}
