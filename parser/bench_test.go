package parser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkParse walks five hops of a message of 4 kB.
func BenchmarkParse(b *testing.B) {
	header := postfixLine("127.0.0.1", "backup.example") + amavisLine("127.0.0.1") +
		postfixLine("192.0.2.20", "backup.example") + postfixLine("10.1.2.3", "relay.example") +
		qmailLine("198.51.100.7", "inner.example") + postfixLine("203.0.113.9", "x.example") +
		headerFields +
		"DKIM-Signature: v=1; a=rsa-sha256; d=example; s=s;\n\tb=" + strings.Repeat("x", 300) + "\n"
	message := []byte(header + "\n" + strings.Repeat("x", 4096-len(header)))
	trust := trusted(loopback)
	c := Connection{Peer: trust.Relays[0].Network.Addr(), MailFrom: "a@example"}
	if got := Parse(message, c, trust); got.Source != peer || len(got.Hops) != 6 {
		b.Fatalf("source %v %s, %d hops", got.Source, got.Reason, len(got.Hops))
	}
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		Parse(message, c, trust)
	}
}

// BenchmarkParseDirect is the trap's usual case: the peer is the source.
func BenchmarkParseDirect(b *testing.B) {
	message := []byte(postfixLine("203.0.113.9", "x.example") + headerFields + "\n" +
		strings.Repeat("x", 3500))
	c := Connection{Peer: peer, MailFrom: "a@example"}
	b.ReportAllocs()
	for b.Loop() {
		Parse(message, c, Trust{})
	}
}

// TestCorpusMessages walks real messages as mail that was fetched from the host that received
// them, and counts the reasons and causes.
func TestCorpusMessages(t *testing.T) {
	trust := Trust{Loopback: true, LocalSubmission: true, Hosts: []string{"localhost",
		"phobos.labs.netnoteinc.com", "phobos.labs.spamassassin.taint.org", "jmason.org",
		"spamassassin.taint.org"}}
	for _, dir := range []string{"spam", "ham"} {
		paths, _ := filepath.Glob(corpus(t, dir) + "/*")
		reasons, causes := map[string]int{}, map[string]int{}
		for _, path := range paths {
			message, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := Parse(message, Connection{}, trust)
			reasons[got.Reason.String()]++
			causes[got.Cause.String()]++
			if os.Getenv("VERBOSE") != "" {
				t.Logf("%s: %v %s %s %v", filepath.Base(path), got.Source, got.Reason, got.Cause, got.Hops)
			}
		}
		t.Logf("%s: %v %v", dir, reasons, causes)
	}
}
