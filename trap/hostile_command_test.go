package trap

import (
	"strings"
	"testing"
)

func commandCases() []hostile {
	const (
		unknown  = "< 500 5.5.2 Command unrecognized\n"
		sequence = "< 503 5.5.1 Bad sequence of commands\n"
		refused  = "< 502 5.5.1 Command not implemented\n"
		stranger = "< 550 5.1.1 No such user here\n"
		start    = "> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n"
	)
	to := func(path string) string { return greeted(mail) + "> RCPT TO:" + path + "\n" }
	cases := []hostile{
		{name: "a command line of 4,000 bytes", what: "500 once, and goes on",
			script: "> " + strings.Repeat("x", 4000) + "\n< 500 5.5.2 Line too long\n" + quit,
			events: []string{"abuse: long-line", endOfQuit}},
		{name: "a name of 100 kB behind HELO", what: "taken; its beginning is kept", taken: 1,
			script: "> HELO " + strings.Repeat("x", 100_000) + "\n< 250 mx.traps.example\n" +
				strings.TrimPrefix(data, helo) + taken + quit, events: []string{"abuse: long-line"}},
		{name: "a reverse path of 100 kB", what: "taken; its beginning is kept", taken: 1,
			script: greeted(helo) + "> MAIL FROM:<" + strings.Repeat("x", 100_000) + "@b.example>\n" +
				"< 250 2.1.0 Sender OK\n" + strings.TrimPrefix(data, mail) + taken + quit,
			events: []string{"abuse: long-line"}},
		{name: "a recipient of 100 kB", what: "500: it names nobody",
			script: to("<"+strings.Repeat("x", 100_000)+"@traps.example>") +
				"< 500 5.5.2 Line too long\n" + quit, events: []string{"abuse: long-line"}},
		{name: "control bytes and escape sequences behind HELO", what: "taken; kept, never repeated",
			taken: 1, script: "> HELO \\e[31m\\0\\tx\n< 250 mx.traps.example\n" +
				strings.TrimPrefix(data, helo) + taken + quit},
		{name: "control bytes in a reverse path", what: "taken; kept, never repeated", taken: 1,
			script: greeted(helo) + "> MAIL FROM:<\\e\\0@b>\n< 250 2.1.0 Sender OK\n" +
				strings.TrimPrefix(data, mail) + taken + quit},
		{name: "control bytes in a recipient", what: "550 5.1.1: nobody is called that",
			script: to("<\\0x@traps.example>") + stranger + to("<x\\e@traps.example>")[len(greeted(mail)):] +
				stranger + quit},
		{name: "bytes of no character set in each command", what: "taken; kept, never repeated", taken: 1,
			script: "> HELO \xff\xfe\n< 250 mx.traps.example\n> MAIL FROM:<\xff@\xfe>\n" +
				"< 250 2.1.0 Sender OK\n> RCPT TO:<\xe9\xff@traps.example>\n< 250 2.1.5 Recipient OK\n" +
				start + taken + quit},
		{name: "an empty line, blanks, a lone CR", what: "500, and goes on",
			script: "> \n" + unknown + ">    \n" + unknown + "! \\r\\r\\n\n" + unknown + quit},
		{name: "commands parted by CR alone", what: "500: one command, and not one of ours",
			script: "> NOOP\\rQUIT\n" + unknown + quit},
		{name: "commands ending in LF alone", what: "followed: strictness is for content", taken: 1,
			script: "! HELO x\\nMAIL FROM:<>\\nRCPT TO:<x@traps.example>\\nDATA\\n\n" +
				"< 250 mx.traps.example\n< 250 2.1.0 Sender OK\n< 250 2.1.5 Recipient OK\n" +
				"< 354 Start mail input; end with <CRLF>.<CRLF>\n" + taken + quit},
		{name: "no HELO at all", what: "taken: a trap does not mind manners", taken: 1,
			script: strings.TrimPrefix(data, helo) + taken + quit},
		{name: "RCPT TO:<postmaster>", what: "taken, kept for the operator, not counted", taken: 1,
			script: to("<postmaster>") + "< 250 2.1.5 Recipient OK\n" + start + taken + quit,
			events: []string{"message taken: mailbox, 1 recipients, 3 bytes"}},
		{name: "RCPT TO:<>", what: "550 5.1.1", script: to("<>") + stranger + quit,
			events: []string{"recipient refused: stranger"}},
		{name: "a source route, no brackets, a display name", what: "the address is found", taken: 1,
			script: to("<@relay.example:x@traps.example>") + "< 250 2.1.5 Recipient OK\n" +
				"> RCPT TO:y@traps.example\n< 250 2.1.5 Recipient OK\n" +
				"> RCPT TO: \"Z\" <z@traps.example>\n< 250 2.1.5 Recipient OK\n" + start + taken + quit,
			events: []string{"message taken: trap, 3 recipients, 3 bytes"}},
		{name: "parameters that nobody knows", what: "taken", taken: 1,
			script: greeted(helo) + "> MAIL FROM:<> AUTH=<> X=Y BODY=BINARYMIME\n" +
				"< 250 2.1.0 Sender OK\n" + strings.TrimPrefix(data, mail) + taken + quit},
		{name: "a second MAIL", what: "503; the first transaction goes on", taken: 1,
			script: greeted(rcpt) + "> MAIL FROM:<other@b.example>\n" + sequence + start + taken + quit},
		{name: "RCPT first", what: "503",
			script: greeted(helo) + "> RCPT TO:<x@traps.example>\n" + sequence + quit},
		{name: "DATA without RCPT", what: "503", script: greeted(mail) + "> DATA\n" + sequence + quit},
		{name: "DATA behind refused recipients", what: "503; what follows is read as commands",
			script: to("<x@elsewhere.example>") + stranger + "> DATA\n" + sequence +
				"> Subject: x\n" + unknown + "> .\n" + unknown + quit},
		{name: "RSET and HELO within a transaction", what: "it is forgotten",
			script: greeted(rcpt) + "> RSET\n< 250 2.0.0 OK\n> DATA\n" + sequence +
				strings.TrimPrefix(rcpt, helo) + "> HELO again\n< 250 mx.traps.example\n> DATA\n" +
				sequence + quit},
		{name: "a recipient that is nobody", what: "550 5.1.1, the same for a resting trap",
			script: to("<resting@traps.example>") + stranger + "> RCPT TO:<x@elsewhere.example>\n" +
				stranger + quit, events: []string{"recipient refused: resting", "recipient refused: stranger"}},
		{name: "a reporter's address among traps", what: "452 4.5.3: it has a message to itself",
			taken: 1, script: greeted(rcpt) + "> RCPT TO:<report@reports.example>\n" +
				"< 452 4.5.3 Too many recipients\n" + start + taken + quit,
			events: []string{"recipient refused: mixed", "message taken: trap, 1 recipients, 3 bytes"}},
		{name: "VRFY and EXPN, to learn addresses", what: "252 and 502, whatever the address",
			script: "> VRFY x@traps.example\n< 252 2.0.0 Cannot verify, send mail to find out\n" +
				"> VRFY x@elsewhere.example\n< 252 2.0.0 Cannot verify, send mail to find out\n" +
				"> EXPN all\n" + refused + quit},
		{name: "HELP, TURN, ETRN, SEND", what: "502",
			script: "> HELP\n" + refused + "> TURN\n" + refused + "> ETRN x\n" + refused +
				"> SEND FROM:<>\n" + refused + quit},
		{name: "BDAT with its chunk", what: "502; the chunk is read as commands, nothing is taken",
			script: greeted(rcpt) + "! BDAT 9 LAST\\r\\nabc def\\r\\n\n" + refused + unknown + quit},
		{name: "BDAT LAST cut off", what: "502; nothing is taken", talk: func(t *testing.T, a *arena) {
			a.play(t, greeted(rcpt)+"! BDAT 900 LAST\\r\\nabc\n"+refused)
			a.halfClose(t)
			a.gone(t)
		}, events: []string{endClose}},
	}
	for i := range cases {
		cases[i].events = append(cases[i].events, endOfQuit)
		if cases[i].talk != nil {
			cases[i].events = []string{endClose}
		}
	}
	return cases
}

func floodCases() []hostile {
	const errors = "421 4.7.0 Too many errors"
	// flood goes on until it gets another answer, the last, behind about so many.
	flood := func(said string, times int, answer, last string) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			got, n := answer, -1
			for got == answer {
				a.send(t, said)
				got, n = a.reply(t), n+1
			}
			if got != last || n > times || n < times-10 {
				t.Errorf("%q behind %d answers, want %q behind %d", got, n, last, times)
			}
			a.gone(t)
		}
	}
	harvest := func(t *testing.T, a *arena) {
		a.play(t, greeted(mail))
		flood("RCPT TO:<guess@elsewhere.example>\r\n", 9980, "550 5.1.1 No such user here", errors)(t, a)
	}
	return []hostile{
		{name: "unknown commands without end", what: "421 4.7.0 at the twentieth",
			talk:   flood("XYZZY\r\n", 20, "500 5.5.2 Command unrecognized", errors),
			events: []string{"session ended: errors"}},
		{name: "NOOP without end", what: "421 4.7.0 at the thousandth without a message",
			talk:   flood("NOOP\r\n", 1000, "250 2.0.0 OK", errors),
			events: []string{"session ended: errors"}},
		{name: "guesses recipients without end", what: "421 4.7.0 after some ten thousand",
			talk: harvest, events: []string{"session ended: errors", "recipient refused: stranger"}},
		{name: "a command line without end", what: "421 4.7.0 when the session has sent all it may",
			change: func(s *Settings) { s.Limits.SessionBytes = 100_000 },
			talk: func(t *testing.T, a *arena) {
				a.send(t, strings.Repeat("x", (100_000/lineBytes+1)*lineBytes))
				a.play(t, "< "+errors)
			}, events: []string{"session ended: bytes"}},
		{name: "message after message without end", what: "421 4.7.0 when the session has sent all it may",
			change: func(s *Settings) { s.Limits.SessionBytes, s.Limits.MessageBytes = 4000, 2000 },
			taken:  3, talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(helo))
				for range 3 {
					a.play(t, strings.TrimPrefix(data, helo)+"> "+strings.Repeat("x", 1500)+"\n> .\n"+ok)
				}
				a.send(t, "MAIL FROM:<>\r\n")
				a.play(t, "< "+errors)
			}, events: []string{"session ended: bytes"}},
		{name: "a thousand commands in one packet", what: "each answered, in order", taken: 1,
			talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(mail))
				a.send(t, strings.Repeat("RCPT TO:<x@traps.example>\r\n", 998)+"DATA\r\nx\r\n.\r\nQUIT\r\n")
				for n := range 998 {
					want := "250 2.1.5 Recipient OK"
					if n >= 100 {
						want = "452 4.5.3 Too many recipients"
					}
					if got := a.reply(t); got != want {
						t.Fatalf("recipient %d: %s", n, got)
					}
				}
				a.play(t, "< 354 Start mail input; end with <CRLF>.<CRLF>\n"+ok+
					"< 221 2.0.0 Closing connection\n.")
			}, events: []string{"recipient refused: too-many", endOfQuit}},
	}
}
