package complaint

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/redact"
)

// vocabulary is what a sender who looks for traps writes, each of them maybe a trap's.
var vocabulary = []string{"alpha.example", "bravo.example", "delta.example", "mail.lake.example", "sales", "old.sales",
	"sales@alpha.example", "info@lake.example", "submit", "alpha example", "alphaexample", "xn--bcher-kva.example",
	"elpmaxe.ahpla", "YWxwaGEuZXhhbXBsZQ==", "alpha%2Eexample", "=?utf-8?q?alpha=2Eexample?=", "alpha at bravo dot example",
	"https://alpha.example/x", "best.deals", "best deals", "Cheap", "pills", "4711", "a&#46;example", "（alpha．example）"}

// sameToAll has three traps get one message, whose words may be the names of traps.
func sameToAll(words []string, traps [3]string) []Message {
	text := strings.Join(words, " ")
	var all []Message
	for n, trap := range traps {
		var b strings.Builder
		for _, name := range []string{"Subject", "Organization", "X-Mailer", "From", "Reply-To", "HELO", "Content-Type"} {
			fmt.Fprintf(&b, "%s: %s\n", name, text)
		}
		for _, word := range words {
			fmt.Fprintf(&b, "X-%s: yes\n", strings.NewReplacer(".", "", " ", "", "@", "").Replace(word))
		}
		all = append(all, Message{At: now.Add(-Rest - time.Duration(n)*time.Minute), Cause: "direct",
			Traps: []string{trap}, MailFrom: "info@" + words[0], Header: []byte(b.String() + "\n")})
	}
	return all
}

// someSecrets has any of the words for domains, traps and reporters.
func someSecrets(r *rand.Rand, words []string) *redact.Redactor {
	var s redact.Secrets
	for _, word := range words {
		if r.IntN(3) == 0 {
			s.Domains = append(s.Domains, word)
		}
		if r.IntN(3) == 0 {
			s.Addresses = append(s.Addresses, word, word+"@corp.example", "info@"+word)
		}
	}
	return redact.New(s)
}

// someTraps has the same messages come to other traps.
func someTraps(r *rand.Rand, words []string) (traps [3]string) {
	for n := range traps {
		word := words[r.IntN(len(words))]
		traps[n] = fmt.Sprintf("%s%d@%s", strings.ReplaceAll(word, "@", ""), n, word)
		if r.IntN(2) == 0 {
			traps[n] = word + "@" + words[(n+1)%len(words)]
		}
	}
	if traps[0] == traps[1] || traps[1] == traps[2] || traps[0] == traps[2] {
		return [3]string{"one@traps.example", "two@traps.example", "three@traps.example"}
	}
	return traps
}

func checkRoster(t *testing.T, words []string, r *rand.Rand) {
	t.Helper()
	plain := [3]string{"one@traps.example", "two@traps.example", "three@traps.example"}
	want := Of(complaintOf(false, sameToAll(words, plain)...), redact.New(redact.Secrets{}))
	got := Of(complaintOf(false, sameToAll(words, someTraps(r, words))...), someSecrets(r, words))
	if diff := cmp.Diff(string(want.ARF())+string(want.XARF()), string(got.ARF())+string(got.XARF())); diff != "" {
		t.Errorf("a report on %q tells who has traps:\n%s", words, diff)
	}
}

// TestRosterIsNotTold: whoever writes a thousand names to three traps reads nothing from a report but
// that it came: it is the same, byte by byte, whichever of the names are those of traps.
func TestRosterIsNotTold(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 24))
	for range 400 {
		words := make([]string, 1+r.IntN(20))
		for i := range words {
			words[i] = vocabulary[r.IntN(len(vocabulary))]
		}
		checkRoster(t, words, r)
	}
	s := Of(complaintOf(false, sameToAll([]string{"Cheap", "alpha.example", "sales", "bravo.example"},
		[3]string{"sales@alpha.example", "b@alpha.example", "c@alpha.example"})...),
		redact.New(redact.Secrets{Domains: []string{"alpha.example"}}))
	want := []string{"Content-Type: [removed]", "Organization: Cheap [removed] sales [removed]",
		"Subject: Cheap [removed] sales [removed]", "X-Mailer: Cheap [removed] sales [removed]"}
	if diff := cmp.Diff(want, s.fields); diff != "" {
		t.Error(diff)
	}
}

// FuzzRoster is the same for any text.
func FuzzRoster(f *testing.F) {
	f.Add(strings.Join(vocabulary, " "), uint64(1))
	f.Add("Subject: a.bc\r\n X-Mailer: b.cd", uint64(2))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if words := strings.Fields(text); len(words) > 0 {
			checkRoster(t, words, rand.New(rand.NewPCG(seed, 1)))
		}
	})
}
