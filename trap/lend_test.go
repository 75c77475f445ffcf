package trap

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestBehindContent: what comes behind the content in the same piece is read after it, though the
// buffer that took the content is another session's by then.
func TestBehindContent(t *testing.T) {
	s := newStand(t, nil)
	c := dial(t, s.address)
	const one = `MAIL FROM:<>\r\nRCPT TO:<x@traps.example>\r\nDATA\r\n`
	text := strings.Repeat(`a line of some content\r\n`, 1000)
	c.play(t, hi+"> HELO x\n< 250 mx.traps.example\n"+
		"! "+one+text+`.\r\n`+one+text+`.\r\nNOOP\r\nQUIT\r\n`)
	for _, want := range []string{"250", "250", "354", "250", "250", "250", "354", "250", "250", "221"} {
		if got := c.reply(t); !strings.HasPrefix(got, want) {
			t.Fatalf("reply %q, want %s", got, want)
		}
	}
	s.finish(t)
	if n := len(s.sink.all()); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

// TestHeadsAreApart: room that is used again holds one message at a time.
func TestHeadsAreApart(t *testing.T) {
	mixed := make(chan string, 1000)
	s := newStand(t, func(c *Config, s *Settings) {
		s.Limits.ConnectionsPerIP = 100
		c.Sink = &tray{accept: func(_ context.Context, m *Message) error {
			if got := sha256.Sum256(m.Head); got != m.Digest {
				mixed <- fmt.Sprintf("%.40q", m.Head)
			}
			return nil
		}}
	})
	var sessions sync.WaitGroup
	for i := range 8 {
		sessions.Go(func() {
			for j := range 20 {
				// Of some the head takes the usual room, of others more.
				line := strings.Repeat(fmt.Sprint(i), 60) + "\r\n"
				if err := benchmarkSession(s.address, strings.Repeat(line, 1+40*(j%8))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sessions.Wait()
	s.finish(t)
	close(mixed)
	for head := range mixed {
		t.Errorf("the digest is of another message than %s", head)
	}
}
