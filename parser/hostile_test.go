package parser

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// mta prints a Received line as a mail server does, with what that server lets pass of the words
// that a stranger chooses. The peer is 198.51.100.7.
type mta struct {
	name string
	line func(w words) string
}

// words are a stranger's: the HELO, the ident reply, the PTR name and the reverse path.
type words struct{ helo, ident, ptr, sender string }

// keep leaves the allowed bytes and puts a question mark for each other one, as Postfix' neuter
// and qmail's safeput do.
func keep(s string, allowed func(byte) bool) string {
	b := []byte(s)
	for i, c := range b {
		if !allowed(c) {
			b[i] = '?'
		}
	}
	return string(b)
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'z'
}

func neuter(s string) string {
	return keep(s, func(c byte) bool {
		return c > ' ' && c < 127 && !strings.ContainsRune(` <>()\";@`, rune(c))
	})
}

func safeput(s string) string {
	return keep(s, func(c byte) bool { return isAlnum(c) || strings.IndexByte(".@%+/=:-[]", c) >= 0 })
}

func sendmailHelo(s string) string {
	return keep(s, func(c byte) bool { return isAlnum(c) || strings.IndexByte("[].-_#:", c) >= 0 })
}

// toBlank is the HELO of servers that split the command at blanks only: tabs survive.
func toBlank(s string) string {
	s, _, _ = strings.Cut(s, " ")
	return s
}

// ptrName is what a resolver lets pass.
func ptrName(s string) string {
	name := keep(s, func(c byte) bool { return isAlnum(c) || c == '.' || c == '-' || c == '_' })
	if name == "" {
		return "unknown"
	}
	return strings.ReplaceAll(name, "?", "-")
}

var mtas = []mta{
	{"postfix", func(w words) string {
		return fmt.Sprintf("from %s (%s [198.51.100.7])\r\n\tby m.example (Postfix) with ESMTP id A\r\n\tfor <%s>",
			neuter(w.helo), ptrName(w.ptr), quotedPath(w.sender))
	}},
	{"sendmail", func(w words) string {
		return fmt.Sprintf("from %s (IDENT:%s@%s [198.51.100.7] (may be forged))\r\n\tby m.example (8.17.1/8.17.1) with ESMTP id A",
			sendmailHelo(w.helo), neuter(w.ident), ptrName(w.ptr))
	}},
	{"sendmail with AllowBogusHELO", func(w words) string {
		return fmt.Sprintf("from %s (%s [198.51.100.7]) by m.example (8.17.1/8.17.1) with ESMTP id A",
			toBlank(w.helo), ptrName(w.ptr))
	}},
	{"exim", func(w words) string {
		return fmt.Sprintf("from %s ([198.51.100.7]:3110 helo=%s ident=%s)\n\tby m.example with esmtp (Exim 4.96)\n\t(envelope-from <%s>)\n\tid A",
			ptrName(w.ptr), w.helo, neuter(w.ident), quotedPath(w.sender))
	}},
	{"exim, no name", func(w words) string {
		return fmt.Sprintf("from [198.51.100.7] (helo=%s)\n\tby m.example with esmtp (Exim 4.96)\n\t(envelope-from <%s>)\n\tid A",
			w.helo, quotedPath(w.sender))
	}},
	{"qmail", func(w words) string {
		return fmt.Sprintf("from %s (HELO %s) (%s@198.51.100.7)\n  by m.example with SMTP",
			ptrName(w.ptr), safeput(w.helo), safeput(w.ident))
	}},
	{"qmail-ldap", func(w words) string {
		return fmt.Sprintf("from %s (HELO %s) ([198.51.100.7]) (envelope-sender <%s>) by m.example (qmail-ldap-1.03) with SMTP for <t@example>",
			ptrName(w.ptr), safeput(w.helo), w.sender)
	}},
	{"qpsmtpd", func(w words) string {
		return fmt.Sprintf("from %s (HELO %s) (198.51.100.7)\n by m.example (qpsmtpd/0.94) with ESMTP",
			ptrName(w.ptr), toBlank(w.helo))
	}},
	{"haraka", func(w words) string {
		return fmt.Sprintf("from %s (%s [198.51.100.7])\n\tby m.example (Haraka/3.0) with ESMTP id X.1\n\tenvelope-from <%s>",
			toBlank(w.helo), ptrName(w.ptr), quotedPath(w.sender))
	}},
	{"chasquid", func(w words) string {
		helo := ""
		if fields := strings.Fields(w.helo); len(fields) > 0 {
			helo = fields[0]
		}
		return fmt.Sprintf("from %s ([198.51.100.7])\n\tby m.example (chasquid) with ESMTPS\n\ttls X\n\t(over SMTP, TLS-1.3, envelope from %q)\n\t",
			helo, w.sender)
	}},
	{"stalwart", func(w words) string {
		return fmt.Sprintf("from %s (%s [198.51.100.7] (AS64500 Example, ZZ))\n\tby m.example (Stalwart SMTP) with ESMTPS id A", w.helo, ptrName(w.ptr))
	}},
	{"zonemta", func(w words) string {
		return fmt.Sprintf("from %s ([198.51.100.7] %s) by m.example (ZoneMTA) with ESMTPSA id A", w.helo,
			w.ptr)
	}},
	{"exchange", func(w words) string {
		return fmt.Sprintf("from %s (198.51.100.7) by m.example (192.0.2.1) with Microsoft SMTP Server id 15.1", w.helo)
	}},
	{"smtpsvc", func(w words) string {
		return fmt.Sprintf("from %s ([198.51.100.7] unverified) by m.example with Microsoft SMTPSVC(6.0.3790.0)", w.helo)
	}},
	{"gmail", func(w words) string {
		return fmt.Sprintf("from %s (%s. [198.51.100.7]) by mx.google.com with ESMTPS id A for <%s> (version=X)", w.helo, ptrName(w.ptr), quotedPath(w.sender))
	}},
	{"communigate", func(w words) string {
		return fmt.Sprintf("from [198.51.100.7] (HELO %s) by m.example (CommuniGate Pro SMTP 5) with ESMTP id A for %s", w.helo, quotedPath(w.sender))
	}},
	{"hMailServer", func(w words) string {
		return fmt.Sprintf("from %s (%s [198.51.100.7]) by m.example with ESMTP", w.helo, ptrName(w.ptr))
	}},
	{"maddy", func(w words) string {
		return fmt.Sprintf("from %s (%s [198.51.100.7]) by m.example (envelope-sender <%s>) with ESMTP id A", toBlank(w.helo), ptrName(w.ptr), w.sender)
	}},
	{"powermta", func(w words) string {
		return fmt.Sprintf("from %s (198.51.100.7) by m.example (PowerMTA(TM) v3.5) id A; Thu, 29 Apr 2012 23:34:45 +0200 (envelope-from <%s>)", w.helo, w.sender)
	}},
	{"ironport", func(w words) string {
		return fmt.Sprintf("from %s (HELO %s) ([198.51.100.7]) by m.example with ESMTP", ptrName(w.ptr),
			w.helo)
	}},
	{"imail", func(w words) string {
		return fmt.Sprintf("from %s [198.51.100.7] by m.example with ESMTP (SMTPD32-6.05) id A", w.helo)
	}},
	{"worst, sender behind", func(w words) string {
		return fmt.Sprintf("from %s (%s [198.51.100.7]) by m.example with ESMTP id A (envelope-from <%s>)", toBlank(w.helo), ptrName(w.ptr), quotedPath(w.sender))
	}},
	{"worst, unreadable", func(w words) string {
		return fmt.Sprintf("from %s <198.51.100.7> by m.example with ESMTP (X <%s>) id A", neuter(w.helo),
			quotedPath(w.sender))
	}},
}

// quotedPath is a reverse path that a server has parsed: its local part is a quoted string.
func quotedPath(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"@e`
}

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

// TestHostileWords: whatever a stranger chooses, the client of a line is the peer or nobody.
func TestHostileWords(t *testing.T) {
	readable := map[string]int{}
	for _, m := range mtas {
		seen := map[string]bool{} // a server that prints no other words needs no pairs of them
		for _, helo := range hostile {
			all := []words{{helo, helo, helo, helo}}
			for _, other := range hostile {
				all = append(all, words{helo, other, "r.example", other})
			}
			for _, w := range all {
				if line := m.line(w); !seen[line] {
					seen[line] = true
					readable[m.name] += checkWords(t, m, w)
				}
			}
		}
	}
	for _, m := range mtas {
		if m.name != "worst, unreadable" && checkWords(t, m, words{"h.example", "x", "r.example",
			"a"}) == 0 {
			t.Errorf("%s: harmless words are unreadable", m.name)
		}
	}
	t.Logf("readable: %v", readable)
}

// checkWords reads the line of a mail server, and counts it if it shows a client.
func checkWords(t *testing.T, m mta, w words) int {
	t.Helper()
	line := m.line(w)
	r, ok := readValue([]byte(line + "; Tue, 15 Mar 2022 10:30:00 +0000"))
	if !ok || !r.client.ip.IsValid() {
		return 0
	}
	if r.client.ip != peer {
		t.Errorf("%s: peer = %s by %s in %q", m.name, r.client.ip, r.grammar.name, line)
	}
	return 1
}

func FuzzWords(f *testing.F) {
	for i, w := range hostile {
		f.Add(w, hostile[(i+7)%len(hostile)], hostile[(i+13)%len(hostile)], hostile[(i+29)%len(hostile)])
	}
	f.Fuzz(func(t *testing.T, helo, ident, ptr, sender string) {
		// A word with the peer's own address is no attack, and one with a line end is two lines.
		for _, m := range mtas {
			checkWords(t, m, words{helo, ident, ptr, sender})
		}
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
		}
		Attached(head)
	})
}

// blamed is the source where a grammar's example ends the walk: its peer, but never the server
// that a mailbox was fetched from.
func blamed(g *grammar) netip.Addr {
	if g == &fetchmail {
		return netip.Addr{}
	}
	return peer
}

// TestAppended: lines below never change the source, for every grammar.
func TestAppended(t *testing.T) {
	trust := Trust{Relays: []TrustedRelay{{Network: netip.MustParsePrefix("192.0.2.30/32")}}}
	c := Connection{Peer: netip.MustParseAddr("192.0.2.30")}
	for _, g := range grammars {
		head := "Received: " + g.example + "\r\n"
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

// TestRefolded: folding, white space and the case of letters never change a reading.
func TestRefolded(t *testing.T) {
	forms := map[string]func(string) string{
		"folded at every blank": func(s string) string { return strings.ReplaceAll(s, " ", "\r\n\t") },
		"bare LF and more blanks": func(s string) string {
			return strings.ReplaceAll(s, " ",
				" \n  \t ")
		},
		"blank lines in folds": func(s string) string {
			return strings.ReplaceAll(s, " ",
				"\r\n \r\n\t")
		},
		"upper case": strings.ToUpper,
		"lower case": strings.ToLower,
		"NULs": func(s string) string {
			return strings.Join(strings.Split(s, ""),
				"\x00")
		},
	}
	trust := Trust{Relays: []TrustedRelay{{Network: netip.MustParsePrefix("192.0.2.30/32")}}}
	c := Connection{Peer: netip.MustParseAddr("192.0.2.30")}
	for name, change := range forms {
		for _, g := range grammars {
			got := Parse([]byte("Received: "+change(g.example)+"\r\nSubject: x\r\n\r\n"), c, trust)
			if got.Source != blamed(g) || len(got.Hops) != 2 || got.Hops[1].Format != g.name {
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
