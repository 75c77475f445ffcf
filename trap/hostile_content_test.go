package trap

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

func contentCases() []hostile {
	const (
		tooBig = "552 5.3.4 Message too big"
		taken  = "250 2.0.0 OK"
	)
	small := func(s *Settings) { s.Limits.MessageBytes = 1000 }
	// sized sends a message of so many bytes, having declared what it likes.
	sized := func(size int, declared, answer string) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			a.play(t, greeted(helo)+"> MAIL FROM:<>"+declared+"\n< 250 2.1.0 Sender OK\n"+
				strings.TrimPrefix(data, mail))
			a.send(t, strings.Repeat("x", size-2)+"\r\n.\r\n")
			a.play(t, "< "+answer+"\n"+quit)
			m := a.stand.sink.all()[0]
			if m.Size != int64(size) || m.Oversize != (answer == tooBig) {
				t.Errorf("size %d, oversize %v", m.Size, m.Oversize)
			}
		}
	}
	// whole sends content and wants it back byte by byte.
	whole := func(content string) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			a.play(t, greeted(data))
			a.send(t, content+".\r\n")
			a.play(t, "< "+taken+"\n"+quit)
			if m := a.stand.sink.all()[0]; string(m.Head) != content[:min(len(content), headBytes)] ||
				m.Digest != sha256.Sum256([]byte(content)) {
				t.Errorf("%d bytes came out changed", m.Size)
			}
		}
	}
	const stored = "recorded in full count, then 552 5.3.4"
	cases := []hostile{
		{name: "exactly the largest size", what: "taken", change: small, talk: sized(1000, "", taken)},
		{name: "one byte more than the largest size", what: stored, change: small,
			talk: sized(1001, "", tooBig)},
		{name: "far more than the largest size", what: stored + "; what is too much is not kept",
			change: small, talk: sized(500_000, "", tooBig)},
		{name: "SIZE= the largest size", what: "taken", change: small,
			talk: sized(1000, " SIZE=1000", taken)},
		{name: "SIZE= one more than the largest size", what: "recorded, then 552 5.3.4, though it is small",
			change: small, talk: sized(10, " SIZE=1001", tooBig)},
		{name: "SIZE= of twenty digits", what: "recorded, then 552 5.3.4, though it is small",
			change: small, talk: sized(10, " SIZE=99999999999999999999", tooBig)},
		{name: "SIZE= less than what comes", what: "taken", change: small,
			talk: sized(1000, " SIZE=1", taken)},
		{name: "SIZE= no number", what: "taken", change: small, talk: sized(10, " SIZE=-1e9", taken)},
		{name: "a line of 1 MB", what: "taken", talk: whole(strings.Repeat("x", 1_000_000) + "\r\n")},
		{name: "NUL, control bytes, every byte there is", what: "taken as it is", talk: whole(everyByte())},
		{name: "no header, no text", what: "taken", talk: whole("")},
		{name: "lines ending in CRCRLF", what: "taken; the last line needs its own CRLF.CRLF",
			talk: whole("a\r\r\nb\r\r\n\r\n")},
		{name: "a line of dots", what: "taken; the doubled one comes off",
			script: greeted(data) + "> ......\n> .\n< " + taken + "\n" + quit},
	}
	for i := range cases {
		cases[i].taken, cases[i].events = 1, []string{endOfQuit}
	}
	return append(cases,
		hostile{name: "content beyond all that a session may send",
			what: "closed; no message", change: func(s *Settings) {
				s.Limits.MessageBytes, s.Limits.SessionBytes = 1000, 10_000
			}, talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(data))
				_, _ = a.Conn.Write([]byte(strings.Repeat("x", 20_000)))
				a.gone(t)
			}, events: []string{"message not taken: bytes", "session ended: bytes"}},
		hostile{name: "mail while the store is busy", what: "451 4.3.0; nothing of it remains",
			sink: ErrBusy, script: greeted(data) + "> x\n> .\n< 451 4.3.0 Local error in processing\n" + quit,
			events: []string{"message not taken: busy", endOfQuit}},
		hostile{name: "mail while the disk is full", what: "452 4.3.1; nothing of it remains",
			sink: ErrFull, script: greeted(data) + "> x\n> .\n< 452 4.3.1 Insufficient system storage\n" + quit,
			events: []string{"message not taken: full", endOfQuit}})
}

// everyByte holds each byte, and none of them so that it could be taken for an end.
func everyByte() string {
	var b strings.Builder
	for c := range 256 {
		fmt.Fprintf(&b, "x%cx%s\r\n", rune(c), string([]byte{byte(c)}))
	}
	return b.String()
}

// ends are the ends of data that some server has been known to believe, or could.
func ends() []string {
	return []string{"\n.\n", "\n.\r\n", "\n.\r", "\r.\r", "\r.\r\n", "\r.\n", "\r\n.\n", "\r\n.\r",
		"\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\x00\n.\r\n", "\r\n.\r\x00\n", "\r\n\x00.\x00\r\n",
		"\r\x00.\r\x00\n", "\n\x00.\n", "\r\r\n.\r\r\n", "\r\n.\r\r\n"}
}

// smuggled is what would be a second message if the end before it were one.
const smuggled = "MAIL FROM:<s@b.example>\r\nRCPT TO:<smuggled@traps.example>\r\nDATA\r\ny\r\n.\r\n"

func smugglingCases() []hostile {
	var cases []hostile
	for _, end := range ends() {
		shown := strings.NewReplacer("\r\n", "<CRLF>", "\r", "<CR>", "\n", "<LF>", "\x00", "<NUL>").
			Replace(end)
		cases = append(cases, hostile{name: shown + ", then a message of its own",
			what: "content: one message, to the true recipient", taken: 1,
			talk:   func(t *testing.T, a *arena) { a.smuggle(t, "x", end) },
			events: []string{"abuse: smuggling", endOfQuit}})
	}
	return cases
}

// smuggle sends two messages that must be one. Its second "end of data" is the only true one.
func (a *arena) smuggle(t *testing.T, before, end string) {
	t.Helper()
	a.play(t, greeted(data))
	sent := before + end + smuggled
	a.send(t, sent+"QUIT\r\n")
	a.play(t, ok+"< 221 2.0.0 Closing connection\n.")
	all := a.stand.sink.all()
	content, _, _ := strings.Cut(sent, "\r\ny\r\n.\r\n")
	content = strings.ReplaceAll(content+"\r\ny\r\n", "\r\n.", "\r\n")
	if m := all[len(all)-1]; m.Digest != sha256.Sum256([]byte(content)) ||
		m.Recipients[0].Address != "x@traps.example" {
		t.Errorf("%q came out as %q to %s", sent, m.Head, m.Recipients[0].Address)
	}
}

// TestSmuggling sends each look-alike at each place near the ends of the buffers that content is
// read through, in the clear and in TLS, in one packet and cut within it: it is one message.
func TestSmuggling(t *testing.T) {
	for _, w := range []way{inClear, inTLS} {
		for i, end := range ends() {
			t.Run(w.String()+" "+strconv.Itoa(i), func(t *testing.T) {
				h := &hostile{change: func(s *Settings) { s.Limits.ConnectionsPerIP = 1000 }}
				a := h.arena(t, w)
				a.play(t, greeted(helo))
				sent := 0
				for _, buffer := range []int{lineBytes, contentBytes} {
					for offset := -len(end) - 3; offset <= 3; offset++ {
						for _, cut := range []bool{false, true} {
							a.smuggleAt(t, buffer+offset, end, cut)
							sent++
						}
					}
				}
				if n := len(a.stand.sink.all()); n != sent {
					t.Errorf("%d messages of %d", n, sent)
				}
			})
		}
	}
}

// smuggleAt has the look-alike begin at an offset of the content, which may be cut into packets.
func (a *arena) smuggleAt(t *testing.T, offset int, end string, cut bool) {
	t.Helper()
	a.play(t, strings.TrimPrefix(data, helo))
	before := strings.Repeat("x", offset)
	if cut {
		_ = a.socket().SetNoDelay(true)
		a.send(t, before)
		for i := range len(end) {
			a.send(t, end[i:i+1])
		}
		a.send(t, smuggled)
	} else {
		a.send(t, before+end+smuggled)
	}
	a.play(t, strings.TrimSuffix(ok, "\n"))
	all := a.stand.sink.all()
	if m := all[len(all)-1]; !strings.Contains(string(m.Head), "RCPT TO:<smuggled@") {
		t.Fatalf("at %d: %q was believed", offset, end)
	}
}

func crowdCases() []hostile {
	const tooMany = "421 4.7.0 Too many connections"
	// again connects once more and is turned away.
	again := func(t *testing.T, a *arena) {
		c := a.connect(t)
		if a.way == viaProxy {
			c.send(t, proxyHeader)
		}
		c.play(t, "< "+tooMany+"\n.")
	}
	while := func(script string) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			a.play(t, greeted(helo))
			again(t, a)
			a.play(t, script)
		}
	}
	return []hostile{
		{name: "more connections than there are places", what: "421 4.7.0; the others go on",
			change: func(s *Settings) { s.Limits.Connections = 1 },
			talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(helo))
				a.connect(t).play(t, "< "+tooMany+"\n.") // without a look at its header
				a.play(t, quit)
			}, events: []string{"connection refused: connections", endOfQuit}},
		{name: "more connections from an address or /64 than it may have", what: "421 4.7.0; the others go on",
			change: func(s *Settings) { s.Limits.ConnectionsPerIP = 1 }, talk: while(quit),
			events: []string{"connection refused: connections-per-ip", endOfQuit}},
		{name: "more connections from a /24 or /48 than it may have", what: "421 4.7.0; the others go on",
			change: func(s *Settings) { s.Limits.ConnectionsPerNetwork = 1 }, talk: while(quit),
			events: []string{"connection refused: connections-per-network", endOfQuit}},
		{name: "new connections from an address or /64 without end", what: "421 4.7.0 until some time has passed",
			change: func(s *Settings) { s.Limits.ConnectionsPerMinute = 1 }, talk: while(quit),
			events: []string{"connection refused: rate-per-ip", endOfQuit}},
		{name: "new connections from a /24 or /48 without end", what: "421 4.7.0 until some time has passed",
			change: func(s *Settings) { s.Limits.ConnectionsPerMinutePerNetwork = 1 }, talk: while(quit),
			events: []string{"connection refused: rate-per-network", endOfQuit}},
		{name: "messages from an address or /64 without end", what: "421 4.7.0 at MAIL until some time has passed",
			change: func(s *Settings) { s.Limits.MessagesPerMinute = 2 }, taken: 2,
			script: greeted(data) + taken + strings.TrimPrefix(data, helo) + taken +
				"> MAIL FROM:<>\n< 421 4.7.0 Too much mail\n.",
			events: []string{"message not taken: rate", "session ended: rate"}},
		{name: "content while others hold all memory", what: "read no further until there is some",
			change: func(s *Settings) { s.Limits.MemoryBytes = 300_000 }, taken: 1,
			talk: func(t *testing.T, a *arena) {
				m := &a.stand.budget.memory
				all := &claim{most: 300_000, limit: 300_000}
				m.take(all, 300_000, 0, nil)
				a.play(t, greeted(data)+"> x\n> .")
				a.await(t, m)
				m.release(all)
				a.play(t, ok+quit)
			}, events: []string{endOfQuit}},
		{name: "content while others go on holding all memory",
			what: "451 4.3.1 when half of the time for content has passed",
			change: func(s *Settings) {
				s.Limits.MemoryBytes, s.Limits.DataTimeout = 300_000, 2*time.Second
			}, talk: func(t *testing.T, a *arena) {
				m := &a.stand.budget.memory
				all := &claim{most: 300_000, limit: 300_000}
				m.take(all, 300_000, 0, nil)
				a.play(t, greeted(data)+"> x\n> .\n< 451 4.3.1 Mail system full\n"+quit)
				m.release(all)
			}, events: []string{"message not taken: memory", endOfQuit}},
	}
}

// await waits until a message waits for memory.
func (a *arena) await(t *testing.T, m *memory) {
	t.Helper()
	for m.queued() == 0 {
		if t.Context().Err() != nil {
			t.Fatal("nothing waits")
		}
	}
}
