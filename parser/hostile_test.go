package parser

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// hostile are words that try to be the peer.
var hostile = []string{
	"192.0.2.9", "[192.0.2.9]", "[192.0.2.9][192.0.2.8]", "x[192.0.2.9]", "x([192.0.2.9])",
	"a)(192.0.2.9", "a) (192.0.2.9", "a) ([192.0.2.9]", "a) by m ([192.0.2.9]", "by", "from", "(", ")",
	`"`, `\`, ";", "",
	"a\t([192.0.2.9])\tby\tm.example", "a ([192.0.2.9]) by m.example (Postfix) with ESMTP id A",
	"[192.0.2.9]\t(helo=x)\tby\tm.example\twith\tsmtp\t(Exim\t4.96)",
	"a\t(HELO\tx)\t(192.0.2.9)\tby\tm.example\twith\tSMTP",
	"a (HELO x) (192.0.2.9) by m.example with SMTP;",
	"a\t(192.0.2.9)\tby\tm.example\twith\tMicrosoft\tSMTP\tServer",
	"a) (r [192.0.2.9]) by m.example (Postfix) with ESMTP (b",
	"a) (r [192.0.2.9]) by m.example (Haraka/3.0) (b",
	"a) (r [192.0.2.9]) by m.example (Haraka/3.0) with ESMTP id A (b",
	"a>) (192.0.2.9) by m.example (qpsmtpd/0.9) with ESMTP (b",
	"a) (r [192.0.2.9]) by m.example (chasquid) with (b",
	"a>) ([192.0.2.9]) by m.example (Stalwart) with SMTP (<b", "a>) (192.0.2.9) (envelope-sender <b",
	"[192.0.2.9] verified", "x [192.0.2.9] verified", "a [192.0.2.9]", "a from [192.0.2.9]",
	"192.0.2.9@", "a@192.0.2.9",
	"a\t(", "a(", "x) (y [192.0.2.9]) by m.example (Haraka/3.0) with ESMTP id \"B",
	"x)) (y [192.0.2.9]) by m.example (chasquid) with (",
	"helo=192.0.2.9", "a helo=[192.0.2.9]", "IDENT:x@[192.0.2.9]", "a via 192.0.2.9", "a - 192.0.2.9",
	"a\x00b", "a\rb", "a\r\nb",
	"[IPv6:2001:db8::9]", "[::ffff:192.0.2.9]",
	"a (using TLS) ([192.0.2.9]) (Authenticated sender: x)",
	"198.51.100.7", "a;b", "a <", "x (apparently) from [192.0.2.9]", "a via HTTP (b", `a) via HTTP (b`,
}

// names are what a stranger may call his host: a remark, a keyword, an address, what stands for none.
var names = []string{
	"tls", "tls.evil.example", "authenticated", "authenticated.evil.example", "client", "using", "no",
	"smtp-auth", "envelope-from", "envelope-sender", "auth", "ident", "helo", "HELO", "EHLO", "port",
	"account", "verified", "unverified", "unknown", "by", "from", "with", "via", "for", "id", "local",
	"localhost", "mail", "192.0.2.9", "192.0.2.9.25", "r.example",
}

// openers are HELOs that try to swallow what the server writes behind them, and closers what a sender
// or a recipient adds to that, so that both together are another server's line.
var (
	openers = []string{
		`[192.0.2.9] (helo=x) by m.example with esmtp (Exim 4.9) (envelope-from <"`,
		"[192.0.2.9]\t(helo=x)\tby\tm.example\twith\tesmtp\t(Exim\t4.9)\t(envelope-from\t<\"",
		`[192.0.2.9] (helo=x) by m.example with esmtp (Exim 4.9) (envelope-from <`,
		`[192.0.2.9] (helo=x) by m.example with esmtp (Exim 4.9) id 1sHw2u-000wPW-18 for "`,
		`a ([192.0.2.9]) by m.example (Postfix) with ESMTP id A for <"`,
		"a\t([192.0.2.9])\tby\tm.example\t(Postfix)\twith\tESMTP\tid\tA\tfor\t<\"",
		`a ([192.0.2.9]) by m.example (8.1/8.1) with ESMTP id A (`, `a ([192.0.2.9]) (Client CN "x`,
		"a\t([192.0.2.9])\t(Client\tCN\t\"x", `a ([192.0.2.9]) (using (`, `a (x (`, `a ([192.0.2.9]) (`,
		`a) ([192.0.2.9]) by m.example (Postfix) (b (`, "a", "a (over x, envelope from \"",
		"a\t([192.0.2.9])", "a (192.0.2.9)", "a [192.0.2.9]",
	}
	closers = []string{
		`>) id 1sHw2u-000wPW-18 for x; Tue, 15 Mar 2022 10:30:00 +0000 (b`, `>) id 1sHw2u-000wPW-18 for x;"`,
		`>) id 1sHw2u-000wPW-18 for x`, `>) id 1sHw2u-000wPW-18; x`, `"`, `\"`, `"@t`, `a") (b`,
		`) by m.example (Postfix) with ESMTP id A for <c`, `b)) by m.example (Postfix) with ESMTP id A (c`,
		`) by m.example (Postfix) with ESMTP id A for <"`, `a) via tcp (b`, `a) via tcp ; (b`, `a via tcp b`,
		`a> via tcp <b`, `a) (Exim 4.9) (b`, `a>) (Exim 4.9) (b`, `a) with local (Exim 4.9) (b`,
		`a>) with local (b`, `a) (ecelerity 4) (b`, `a>) (ecelerity 4) (b`, `) (fetchmail-6) (`,
		`a>) with POP3 (b`, `a>) (MDaemon 1) (b`, `a) via smap (b`, `a>) with HTTP (b`, `a>) with mapi (b`,
		`a>) (SMTPD32-6) (b`, `a>) (amavisd) (b`, `a>) with Microsoft SMTPSVC (b`, `a>) with [XMail (b`,
		`a)) (b`, `a (`, `x`,
	}
)

// TestSwallowed gives every mail server the openers and the closers, in pairs.
func TestSwallowed(t *testing.T) {
	for _, m := range slices.Concat(mtas, namelessMTAs) {
		for _, opener := range openers {
			for _, closer := range closers {
				w := same(closer)
				w["helo"] = opener
				checkLine(t, &m, m.line(w), peer)
			}
		}
	}
}

// TestHostileNames gives every mail server the names, with hostile words for a HELO.
func TestHostileNames(t *testing.T) {
	for _, m := range slices.Concat(mtas, namelessMTAs) {
		for _, name := range names {
			for _, helo := range hostile {
				w := same("x")
				w["helo"], w["ptr"] = helo, name
				checkLine(t, &m, m.line(w), peer)
			}
		}
	}
}

// TestHostileWords: whatever a stranger chooses, the client of a line is the peer or nobody.
func TestHostileWords(t *testing.T) {
	for _, m := range mtas {
		checkPairs(t, &m, peer)
	}
	for _, m := range namelessMTAs {
		checkPairs(t, &m, peer)
	}
	for _, m := range muteMTAs {
		checkPairs(t, &m, netip.Addr{})
	}
}

// checkPairs gives a mail server pairs of hostile words. One that prints no others needs none.
func checkPairs(t *testing.T, m *mta, shown netip.Addr) {
	t.Helper()
	seen := map[string]bool{}
	for i, helo := range hostile {
		for j, other := range hostile {
			if i != j && (i+j)%4 != 0 { // of the pairs a quarter, and all with itself
				continue
			}
			w := same(other)
			w["helo"] = helo
			if line := m.line(w); !seen[line] {
				seen[line] = true
				checkLine(t, m, line, shown)
			}
		}
	}
}

// checkLine reads the line of a mail server, and tells whether it shows the client.
func checkLine(t *testing.T, m *mta, line string, shown netip.Addr) bool {
	t.Helper()
	r, ok := readValue([]byte(line + dateClause))
	if ok && shown.IsValid() && r.client.origin != network {
		t.Errorf("%s: not over a connection, by %s in %q", m.name, r.grammar.name, line)
	}
	if !ok || !r.client.ip.IsValid() {
		return false
	}
	if r.client.ip != shown {
		t.Errorf("%s: peer = %s by %s in %q", m.name, r.client.ip, r.grammar.name, line)
	}
	return true
}

const dateClause = "; Tue, 15 Mar 2022 10:30:00 +0000"

// shards are what random hostile words are made of.
var shards = append([]string{
	" ", "\t", "\r\n ", "\x00", "\xa0", "\xff", "(", ")", "[", "]", "<", ">", "@", `\`, `"`, ";", ",", "=",
	":", "%", "by", "by m.example", "from", "with", "with ESMTP", "with SMTP", "with HTTP", "via", "id 1",
	"id 1sHw2u-000wPW-18", "for", "192.0.2.9", "[192.0.2.9]", "(192.0.2.9)", "([192.0.2.9])",
	"[192.0.2.9]:25", "192.0.2.9.25", "::ffff:192.0.2.9", "::ffff:c000:209", "IPv6:2001:db8::9",
	"2001:db8::9%1", "helo=", "port=", "HELO", "EHLO", "LHLO", "(Exim 4.96)", "(Postfix)", "(Haraka/3.0)",
	"(qpsmtpd/0.94)", "(Stalwart SMTP)", "(chasquid)", "Microsoft SMTP Server", "verified", "unknown",
	"=?utf-8?q?=5B192.0.2.9=5D?=", "x", "h.example",
}, hostile...)

// randomWord makes a hostile word.
func randomWord(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(7) {
		b.WriteString(shards[r.IntN(len(shards))])
	}
	return b.String()
}

// harmless are what clients say who mean no harm.
func harmless(r *rand.Rand) words {
	w := words{}
	for _, name := range wordNames {
		w[name] = fmt.Sprintf("h%d.x-%d.example", r.IntN(1000), r.IntN(1000))
	}
	if r.IntN(4) == 0 {
		w["helo"] = fmt.Sprintf("[192.0.2.%d]", r.IntN(256))
	}
	w["forwarded"] = fmt.Sprintf("192.0.2.%d", r.IntN(256))
	return w
}

// TestRandomWords holds every mail server against thousands of hostile words, of which the client
// must not become a stranger's choice, and of harmless ones, which it must survive: a parser that
// reads nothing would pass the first half.
func TestRandomWords(t *testing.T) {
	const lines = 500 // of each mail server
	r := rand.New(rand.NewPCG(1, 1))
	lowest := lines
	for i := range mtas {
		lowest = min(lowest, checkRandom(t, r, &mtas[i], peer, lines))
		checkHarmless(t, r, &mtas[i], peer, lines)
	}
	for i := range namelessMTAs {
		checkRandom(t, r, &namelessMTAs[i], peer, lines)
	}
	for i := range muteMTAs {
		checkRandom(t, r, &muteMTAs[i], netip.Addr{}, lines)
		checkHarmless(t, r, &muteMTAs[i], netip.Addr{}, lines)
	}
	t.Logf("harmless words: all read; hostile words: %d of %d read at the least", lowest, lines)
}

// checkRandom counts the hostile lines that were read.
func checkRandom(t *testing.T, r *rand.Rand, m *mta, shown netip.Addr, lines int) int {
	t.Helper()
	read := 0
	for i := range lines {
		w := words{}
		for _, name := range wordNames {
			w[name] = randomWord(r)
		}
		if r.IntN(2) == 0 {
			w["ptr"] = names[r.IntN(len(names))]
		}
		if r.IntN(2) == 0 {
			w["sender"] = closers[r.IntN(len(closers))]
		}
		line := m.line(w)
		if checkLine(t, m, line, shown) {
			read++
		}
		if i%5 == 0 {
			checkDisguises(t, line+dateClause)
		}
	}
	return read
}

// checkHarmless fails on a harmless line that is not read as it should be.
func checkHarmless(t *testing.T, r *rand.Rand, m *mta, shown netip.Addr, lines int) {
	t.Helper()
	for range lines {
		if line := m.line(harmless(r)); checkLine(t, m, line, shown) != shown.IsValid() {
			t.Errorf("%s: harmless words are unreadable: %q", m.name, line)
		}
	}
}

// disguises are what a line can go through without saying anything else.
var disguises = map[string]func(string) string{
	"folded at every blank":   func(s string) string { return strings.ReplaceAll(s, " ", "\r\n\t") },
	"bare LF and more blanks": func(s string) string { return strings.ReplaceAll(s, " ", " \n  \t ") },
	"blank lines in folds":    func(s string) string { return strings.ReplaceAll(s, " ", "\r\n \r\n\t") },
	"upper case":              func(s string) string { return mapBytes(s, upper) },
	"lower case":              func(s string) string { return mapBytes(s, lower) },
	"NULs":                    func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") },
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func mapBytes(s string, change func(byte) byte) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = change(c)
	}
	return string(b)
}

// checkDisguises: folds, white space, NULs and the case of letters never change a reading.
func checkDisguises(t *testing.T, line string) {
	t.Helper()
	plain, ok := readValue([]byte(line))
	for name, disguise := range disguises {
		got, gotOK := readValue([]byte(disguise(line)))
		if gotOK != ok || got.client.ip != plain.client.ip || got.grammar != plain.grammar {
			t.Errorf("%s: %v %v, plain %v %v: %q", name, got.client.ip, gotOK, plain.client.ip, ok, line)
		}
	}
}

func FuzzWords(f *testing.F) {
	for i, w := range hostile {
		f.Add(w, hostile[(i+7)%len(hostile)], hostile[(i+13)%len(hostile)], hostile[(i+29)%len(hostile)])
	}
	f.Fuzz(func(t *testing.T, helo, ptr, sender, other string) {
		// A word with the peer's own address is no attack, and one with a line end is two lines.
		w := same(other)
		w["helo"], w["ptr"], w["sender"] = helo, ptr, sender
		for i := range mtas {
			checkLine(t, &mtas[i], mtas[i].line(w), peer)
		}
		for i := range namelessMTAs {
			checkLine(t, &namelessMTAs[i], namelessMTAs[i].line(w), peer)
		}
		for i := range muteMTAs {
			if !strings.Contains(helo+other, "198.51.100.7") {
				checkLine(t, &muteMTAs[i], muteMTAs[i].line(w), netip.Addr{})
			}
		}
		checkDisguises(t, mtas[len(other)%len(mtas)].line(w)+dateClause)
	})
}

// FuzzParse: no bytes make it fail; a source is never special; what is appended below never
// changes it, nor do folds and white space.
func FuzzParse(f *testing.F) {
	for _, g := range grammars {
		f.Add([]byte("Received: "+g.example+"\r\n\r\nbody"), []byte("Received: x\r\n"))
	}
	f.Add([]byte(postfixLine("127.0.0.1",
		"mx.example")+amavisLine("127.0.0.1")+postfixLine("198.51.100.7", "mx.example")+"\n"),
		[]byte("\n\n"))
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		for _, c := range []Connection{{}, {Peer: netip.MustParseAddr("192.0.2.30")}, {Peer: peer}} {
			trust := trusted(loopback, localUsers)
			got := Parse(append(head[:len(head):len(head)], tail...), c, trust)
			if got.Source.IsValid() != (got.Reason == UntrustedPeer) {
				t.Errorf("source %v with reason %s", got.Source, got.Reason)
			}
			if c.Peer == peer && got.Source != peer {
				t.Errorf("source = %s with peer %s", got.Source, c.Peer)
			}
			if _, err := got.MarshalJSON(); err != nil {
				t.Error(err)
			}
			checkAppended(t, head, tail, c, trust)
		}
		Attached(head)
	})
}

// checkAppended: fields below a header never change the source that it shows. Line ends do, where
// there was none of their kind before.
func checkAppended(t *testing.T, head, tail []byte, c Connection, trust Trust) {
	t.Helper()
	alone := Parse(head, c, trust)
	if !alone.Source.IsValid() || bytes.IndexByte(head, '\n') < 0 {
		return
	}
	longer := slices.Concat(head, []byte("\r\nX-End: of it\r\n"), tail)
	if got := Parse(longer, c, trust); got.Source != alone.Source {
		t.Errorf("source = %v, without the end %v: %q and %q", got.Source, alone.Source, head, tail)
	}
}

// blamed is the source where a grammar's example ends the walk: its peer, but never the server
// that a mailbox was fetched from.
func blamed(g *grammar) netip.Addr {
	if g == &fetchmail {
		return netip.Addr{}
	}
	return peer
}

// exampleOf is the line of a grammar as a header's first. A queue's has its host's next line below.
func exampleOf(g *grammar) string {
	head := "Received: " + g.example + "\r\n"
	if g == &qmailQueue || g == &googleQueue {
		head += "Received: " + qmail.example + "\r\n"
	}
	return head
}

// TestAppended: lines below never change the source, for every grammar.
func TestAppended(t *testing.T) {
	trust := Trust{Relays: []TrustedRelay{{Network: netip.MustParsePrefix("192.0.2.30/32")}}}
	c := Connection{Peer: netip.MustParseAddr("192.0.2.30")}
	for _, g := range grammars {
		head := exampleOf(g)
		alone := Parse([]byte(head+"\r\n"), c, trust)
		for _, below := range grammars {
			forged := strings.ReplaceAll(below.example, "198.51.100.7", "203.0.113.99")
			got := Parse([]byte(head+"Received: "+forged+"\r\n\r\n"), c, trust)
			if got.Source != alone.Source || got.Reason != alone.Reason {
				t.Errorf("%s above %s: %v %s, alone %v %s", g.name, below.name,
					got.Source, got.Reason, alone.Source, alone.Reason)
			}
		}
		if alone.Source != blamed(g) {
			t.Errorf("%s: source = %v %s", g.name, alone.Source, alone.Reason)
		}
	}
}

// TestRefolded: what disguises a line changes neither source nor format, for every grammar.
func TestRefolded(t *testing.T) {
	trust := Trust{Relays: []TrustedRelay{{Network: netip.MustParsePrefix("192.0.2.30/32")}}}
	c := Connection{Peer: netip.MustParseAddr("192.0.2.30")}
	for name, disguise := range disguises {
		for _, g := range grammars {
			head := strings.Replace(exampleOf(g), g.example, disguise(g.example), 1)
			got := Parse([]byte(head+"Subject: x\r\n\r\n"), c, trust)
			if got.Source != blamed(g) || got.Ignored > 0 || got.Hops[1].Format != g.name {
				t.Errorf("%s, %s: %v %s, %+v", g.name, name, got.Source, got.Reason, got.Hops)
			}
		}
	}
}

// TestLinear: twice the input takes about twice the work. It counts bytes, not time: a line near
// the bound and a header full of such lines must simply come back.
func TestLinear(t *testing.T) {
	huge := "Received: from " + strings.Repeat("a by (", maxLine/8) + "\r\n"
	message := bytes.Repeat([]byte(huge), 64)
	got := Parse(message, Connection{}, trusted())
	if got.Source.IsValid() {
		t.Errorf("source = %s", got.Source)
	}
}
