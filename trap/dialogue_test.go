package trap

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	hi   = "< 220 mx.traps.example ESMTP\n"
	helo = hi + "> HELO peer.example\n< 250 mx.traps.example\n"
	mail = helo + "> MAIL FROM:<a@b.example>\n< 250 2.1.0 Sender OK\n"
	rcpt = mail + "> RCPT TO:<x@traps.example>\n< 250 2.1.5 Recipient OK\n"
	data = rcpt + "> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n"
	quit = "> QUIT\n< 221 2.0.0 Closing connection\n."
)

// TestDialogue holds what every peer sees, word for word.
func TestDialogue(t *testing.T) {
	for _, test := range []struct{ name, script string }{
		{"a message", data + "> Subject: x\n> \n> body\n> .\n< 250 2.0.0 OK\n" + quit},
		{"two messages", data + "> a\n> .\n< 250 2.0.0 OK\n" +
			"> MAIL FROM:<>\n< 250 2.1.0 Sender OK\n> RCPT TO:<y@traps.example>\n" +
			"< 250 2.1.5 Recipient OK\n> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n" +
			"> b\n> .\n< 250 2.0.0 OK\n" + quit},
		{"ehlo offers", hi + "> EHLO peer.example\n" + offersNoTLS + quit},
		{"helo without a name", hi + "> HELO\n< 250 mx.traps.example\n" + quit},
		{"no helo", hi + "> MAIL FROM:<a@b.example>\n< 250 2.1.0 Sender OK\n" +
			"> RCPT TO:<x@traps.example>\n< 250 2.1.5 Recipient OK\n" + quit},
		{"helo after mail resets", rcpt + "> HELO again\n< 250 mx.traps.example\n" +
			"> DATA\n< 503 5.5.1 Bad sequence of commands\n" + quit},
		{"hello is not echoed", hi + "> HELO \\e[31m<script>\\0\n< 250 mx.traps.example\n" + quit},
		{"lower case", hi + "> ehlo x\n" + offersNoTLS +
			"> mail from:<>\n< 250 2.1.0 Sender OK\n> rcpt to:<X@TRAPS.EXAMPLE>\n" +
			"< 250 2.1.5 Recipient OK\n" + quit},
		{"bare line feeds in commands", hi + "! HELO x\\nMAIL FROM:<>\\n\n" +
			"< 250 mx.traps.example\n< 250 2.1.0 Sender OK\n" + quit},
		{"stranger", mail + "> RCPT TO:<x@elsewhere.example>\n< 550 5.1.1 No such user here\n" + quit},
		{"resting", mail + "> RCPT TO:<resting@traps.example>\n< 550 5.1.1 No such user here\n" + quit},
		{"bare postmaster", mail + "> RCPT TO:<postmaster>\n< 250 2.1.5 Recipient OK\n" + quit},
		{"null recipient", mail + "> RCPT TO:<>\n< 550 5.1.1 No such user here\n" + quit},
		{"rcpt without anything", mail + "> RCPT\n< 501 5.5.4 Syntax error in parameters\n" + quit},
		{"rcpt before mail", helo + "> RCPT TO:<x@traps.example>\n" +
			"< 503 5.5.1 Bad sequence of commands\n" + quit},
		{"data before rcpt", mail + "> DATA\n< 503 5.5.1 Bad sequence of commands\n" + quit},
		{"data after refused rcpt", mail + "> RCPT TO:<x@elsewhere.example>\n" +
			"< 550 5.1.1 No such user here\n> DATA\n< 503 5.5.1 Bad sequence of commands\n" + quit},
		{"second mail", rcpt + "> MAIL FROM:<c@d.example>\n< 503 5.5.1 Bad sequence of commands\n" +
			"> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n> .\n< 250 2.0.0 OK\n" + quit},
		{"rset", rcpt + "> RSET\n< 250 2.0.0 OK\n> DATA\n< 503 5.5.1 Bad sequence of commands\n" + quit},
		{"noop, vrfy", helo + "> NOOP\n< 250 2.0.0 OK\n> NOOP words\n< 250 2.0.0 OK\n" +
			"> VRFY x@traps.example\n< 252 2.0.0 Cannot verify, send mail to find out\n" +
			"> VRFY\n< 252 2.0.0 Cannot verify, send mail to find out\n" + quit},
		{"not implemented", helo + "> EXPN list\n< 502 5.5.1 Command not implemented\n" +
			"> HELP\n< 502 5.5.1 Command not implemented\n" +
			"> TURN\n< 502 5.5.1 Command not implemented\n" +
			"> BDAT 5 LAST\n< 502 5.5.1 Command not implemented\n" +
			"> AUTH PLAIN AGEAYg==\n< 502 5.5.1 Command not implemented\n" +
			"> STARTTLS\n< 502 5.5.1 Command not implemented\n" + quit},
		{"unknown", helo + "> XYZZY\n< 500 5.5.2 Command unrecognized\n" +
			"> \n< 500 5.5.2 Command unrecognized\n> X\n< 500 5.5.2 Command unrecognized\n" +
			"> PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n< 500 5.5.2 Command unrecognized\n" +
			"> LHLO x\n< 500 5.5.2 Command unrecognized\n" + quit},
		{"reporter alone", mail + "> RCPT TO:<report@reports.example>\n< 250 2.1.5 Recipient OK\n" +
			"> RCPT TO:<x@traps.example>\n< 452 4.5.3 Too many recipients\n" +
			"> RCPT TO:<postmaster>\n< 452 4.5.3 Too many recipients\n" +
			"> RCPT TO:<Report@reports.example>\n< 250 2.1.5 Recipient OK\n" + quit},
		{"traps without a reporter", rcpt + "> RCPT TO:<report@reports.example>\n" +
			"< 452 4.5.3 Too many recipients\n" +
			"> RCPT TO:<postmaster>\n< 250 2.1.5 Recipient OK\n" +
			"> RCPT TO:<y@deep.traps.example>\n< 250 2.1.5 Recipient OK\n" + quit},
		{"http", hi + "> POST / HTTP/1.1\n< 421 4.7.0 Service not available\n."},
		{"tls from the start", hi + "! \\x16\\x03abc\\n\n< 421 4.7.0 Service not available\n."},
		{"pipelined", hi + "! HELO x\\r\\nMAIL FROM:<>\\r\\nRCPT TO:<a@traps.example>\\r\\n" +
			"RCPT TO:<a@elsewhere.example>\\r\\nDATA\\r\\nbody\\r\\n.\\r\\nQUIT\\r\\n\n" +
			"< 250 mx.traps.example\n< 250 2.1.0 Sender OK\n< 250 2.1.5 Recipient OK\n" +
			"< 550 5.1.1 No such user here\n< 354 Start mail input; end with <CRLF>.<CRLF>\n" +
			"< 250 2.0.0 OK\n< 221 2.0.0 Closing connection\n."},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t, nil)
			dial(t, s.address).play(t, test.script)
			s.finish(t)
		})
	}
}

// TestLMTP: RFC 2033 has its own greeting and a reply for each recipient, but one commit.
func TestLMTP(t *testing.T) {
	s := newStand(t, func(_ *Config, s *Settings) {
		s.LMTP = true
		s.Peers = testRules()[4].Peers
	})
	dial(t, s.address).play(t, `
	< 220 mx.traps.example LMTP
	> EHLO x
	< 500 5.5.2 Command unrecognized
	> LHLO x
	`+offersNoTLS+`> MAIL FROM:<>
	< 250 2.1.0 Sender OK
	> RCPT TO:<x@traps.example>
	< 250 2.1.5 Recipient OK
	> RCPT TO:<nobody@elsewhere.example>
	< 550 5.1.1 No such user here
	> RCPT TO:<y@traps.example>
	< 250 2.1.5 Recipient OK
	> RCPT TO:<X@traps.example>
	< 250 2.1.5 Recipient OK
	> DATA
	< 354 Start mail input; end with <CRLF>.<CRLF>
	> body
	> .
	< 250 2.0.0 OK
	< 250 2.0.0 OK
	< 250 2.0.0 OK
	> QUIT
	< 221 2.0.0 Closing connection
	.`)
	s.finish(t)
	got := s.sink.all()
	if len(got) != 1 || got[0].Protocol != "LMTP" || len(got[0].Recipients) != 2 {
		t.Errorf("messages %+v, want one over LMTP to two", got)
	}
}

// TestEnvelope: what the peer said of itself reaches the sink as it was said.
func TestEnvelope(t *testing.T) {
	for _, test := range []struct {
		name, hello, mail, rcpt string
		want                    Envelope
	}{
		{"helo", "HELO one", "MAIL FROM:<a@b.example>", "RCPT TO:<x@traps.example>",
			Envelope{Protocol: "SMTP", Helo: "one", MailFrom: "a@b.example"}},
		{"ehlo", "EHLO [192.0.2.1]", "MAIL FROM:<> SIZE=10", "RCPT TO:<x@traps.example>",
			Envelope{Protocol: "ESMTP", Helo: "[192.0.2.1]"}},
		{"utf8", "EHLO one", "MAIL FROM:<ü@b.example> SMTPUTF8", "RCPT TO:<x@traps.example>",
			Envelope{Protocol: "UTF8SMTP", Helo: "one", MailFrom: "ü@b.example"}},
		{"no hello", "NOOP", "MAIL FROM:<a@b.example>", "RCPT TO:<x@traps.example>",
			Envelope{Protocol: "SMTP", MailFrom: "a@b.example"}},
		{"hello with everything", "HELO a b\t(x [9.9.9.9]) \x01\xff", "MAIL FROM:<>",
			"RCPT TO:<x@traps.example>",
			Envelope{Protocol: "SMTP", Helo: "a b\t(x [9.9.9.9]) \x01\xff"}},
		{"no brackets", "HELO x", "MAIL FROM: a@b.example BODY=8BITMIME",
			"RCPT TO: x@traps.example NOTIFY=NEVER",
			Envelope{Protocol: "SMTP", Helo: "x", MailFrom: "a@b.example"}},
		{"no address at all", "HELO x", "MAIL FROM:<not an address>", "RCPT TO:<x@traps.example>",
			Envelope{Protocol: "SMTP", Helo: "x", MailFrom: "not an address"}},
		{"mail alone", "HELO x", "MAIL", "RCPT TO:<x@traps.example>",
			Envelope{Protocol: "SMTP", Helo: "x"}},
		{"unknown parameters", "HELO x", "MAIL FROM:<a@b> RET=HDRS ENVID=q AUTH=<> X=Y=Z SIZE=z",
			"RCPT TO:<x@traps.example> ORCPT=rfc822;x NOTIFY=NEVER,SUCCESS FOO",
			Envelope{Protocol: "SMTP", Helo: "x", MailFrom: "a@b"}},
		{"source routes", "HELO x", "MAIL FROM:<@one,@two:a@b.example>",
			"RCPT TO:<@relay.example:x@traps.example>",
			Envelope{Protocol: "SMTP", Helo: "x", MailFrom: "a@b.example"}},
		{"quoted", "HELO x", `MAIL FROM:<"a b>"@b.example>`, `RCPT TO:<"x"@traps.example>`,
			Envelope{Protocol: "SMTP", Helo: "x", MailFrom: `"a b>"@b.example`}},
		{"a name too long", "HELO " + strings.Repeat("x", 9000), "MAIL FROM:<>",
			"RCPT TO:<x@traps.example>",
			Envelope{Protocol: "SMTP", Helo: strings.Repeat("x", lineBytes-len("HELO "))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t, nil)
			c := dial(t, s.address)
			c.reply(t)
			for _, line := range []string{test.hello, test.mail, test.rcpt, "DATA", ".", "QUIT"} {
				c.send(t, line+"\r\n")
				if got := c.reply(t); got[0] != '2' && got[0] != '3' {
					t.Fatalf("%.80q: %s", line, got)
				}
			}
			s.finish(t)
			test.want.Hostname = "mx.traps.example"
			test.want.Listener = s.address
			test.want.Time = noon()
			test.want.Recipients = []Recipient{{Address: "x@traps.example", Class: Trap}}
			got := s.sink.all()[0]
			if !got.Peer.IsValid() || got.Peer.Addr().String() != "127.0.0.1" {
				t.Errorf("peer %v", got.Peer)
			}
			if diff := cmp.Diff(test.want, got.Envelope, cmpopts.IgnoreFields(Envelope{},
				"Peer", "Proxy"), cmpopts.IgnoreFields(Recipient{}, "Rule")); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLongLine: names and reverse paths may be too long, anything else is no command.
func TestLongLine(t *testing.T) {
	s := newStand(t, nil)
	long := strings.Repeat("x", 5000)
	dial(t, s.address).play(t, hi+"> HELO "+long+"\n< 250 mx.traps.example\n"+
		"> MAIL FROM:<"+long+"@b.example>\n< 250 2.1.0 Sender OK\n"+
		"> RCPT TO:<"+long+"@traps.example>\n< 500 5.5.2 Line too long\n"+
		"> RCPT TO:<a@traps.example> "+long+"\n< 250 2.1.5 Recipient OK\n"+
		"> "+long+"\n< 500 5.5.2 Line too long\n"+quit)
	s.finish(t)
	if !s.observer.has("abuse: long-line") {
		t.Errorf("events:\n%s", s.observer)
	}
}

// TestEvents: each outcome has its word.
func TestEvents(t *testing.T) {
	for _, test := range []struct{ name, script, event string }{
		{"quit", hi + quit, "session ended: quit"},
		{"counts", data + "> 1234\n> .\n< 250 2.0.0 OK\n" + quit,
			"session had: 5 commands, 1 messages, 92 bytes"},
		{"taken", data + "> 1234\n> .\n< 250 2.0.0 OK\n" + quit,
			"message taken: trap, 1 recipients, 6 bytes"},
		{"stranger", mail + "> RCPT TO:<a@b>\n< 550 5.1.1 No such user here\n" + quit,
			"recipient refused: stranger"},
		{"resting", mail + "> RCPT TO:<resting@traps.example>\n< 550 5.1.1 No such user here\n" +
			quit, "recipient refused: resting"},
		{"mixed", rcpt + "> RCPT TO:<report@reports.example>\n< 452 4.5.3 Too many recipients\n" +
			quit, "recipient refused: mixed"},
		{"http", hi + "> GET / HTTP/1.1\n< 421 4.7.0 Service not available\n.", "abuse: http"},
		{"http ends", hi + "> GET / HTTP/1.1\n< 421 4.7.0 Service not available\n.",
			"session ended: protocol"},
		{"auth", helo + "> AUTH LOGIN\n< 502 5.5.1 Command not implemented\n" + quit, "abuse: auth"},
		{"proxy", hi + "> PROXY UNKNOWN\n< 500 5.5.2 Command unrecognized\n" + quit, "abuse: proxy"},
		{"early", hi + "! EHLO x\\r\\nQUIT\\r\\n\n" + offersNoTLS +
			"< 221 2.0.0 Closing connection\n.", "abuse: early"},
		{"smuggling", data + "! x\\n.\\r\\ny\\r\\n.\\r\\n\n< 250 2.0.0 OK\n" + quit,
			"abuse: smuggling"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t, nil)
			dial(t, s.address).play(t, test.script)
			s.finish(t)
			if !s.observer.has(test.event) {
				t.Errorf("want %q among the events:\n%s", test.event, s.observer)
			}
		})
	}
}
