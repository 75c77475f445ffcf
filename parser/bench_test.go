package parser

import (
	"net/netip"
	"strings"
	"testing"
)

// fiveHops is a message of 4 kB that passed five hosts, four of them trusted.
func fiveHops() []byte {
	header := postfixLine("127.0.0.1", "backup.example") + amavisLine("127.0.0.1") +
		postfixLine("192.0.2.20", "backup.example") + postfixLine("10.1.2.3", "relay.example") +
		qmailLine("198.51.100.7", "inner.example") + postfixLine("203.0.113.9", "x.example") +
		headerFields +
		"DKIM-Signature: v=1; a=rsa-sha256; d=example; s=s;\n\tb=" + strings.Repeat("x", 300) + "\n"
	return []byte(header + "\n" + strings.Repeat("x", 4096-len(header)))
}

// fiveTrusted is what is trusted where fiveHops arrives, and the peer that hands it over.
func fiveTrusted() (Connection, Trust) {
	trust := trusted(loopback)
	return Connection{Peer: trust.Relays[0].Network.Addr(), MailFrom: "a@example"}, trust
}

// BenchmarkParse walks five hops of a message of 4 kB.
func BenchmarkParse(b *testing.B) {
	message := fiveHops()
	c, trust := fiveTrusted()
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

// BenchmarkLines reads hand-made lines of many mail servers, forged ones among them: tokens,
// grammar, client, date, and what a hop says. The op is a line.
func BenchmarkLines(b *testing.B) {
	var values [][]byte
	for _, row := range readLines[caseLine](b, "../testdata/received.jsonl") {
		values = append(values, latin1(row.Received[0]))
	}
	var l line
	var texts roll
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if l.lex(texts.unfold(values[i%len(values)])) {
			r, _ := l.read()
			r.hop()
			parseDate(l.date())
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkHostile shows that the time per byte does not depend on what a header is made of.
func BenchmarkHostile(b *testing.B) {
	c, trust := Connection{Peer: peer}, trustAll()
	for _, s := range fillers {
		message := s.message(maxHeader)
		b.Run(s.name, func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(message, c, trust)
			}
		})
	}
}

// trustAll believes every line that can be read: all of a chain is walked.
func trustAll() Trust {
	return Trust{Loopback: true, LocalSubmission: true, Relays: []TrustedRelay{
		{Network: netip.MustParsePrefix("0.0.0.0/0")}, {Network: netip.MustParsePrefix("::/0")},
	}}
}
