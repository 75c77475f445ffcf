package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trapline/trapline/internal/admin"
)

// largest is a message of exactly limits.message_bytes as the default has it.
const largest = 10 << 20

// reporter is what common lacks for a desk whose submissions are kept whole.
const reporter = `
[[reporter]]
name = "desk"
address = "submit.k3j9@reports.example"
peers = ["203.0.113.0/24"]
hosts = ["mx1.corp.example"]
`

// testLargeAtOnce: many messages of the largest size at once, to traps and to a reporter whose
// submissions are kept whole, take no more memory than limits.memory_bytes and the process alone.
// Who does not fit in is told to come again, and nothing of that is kept.
func testLargeAtOnce(t *testing.T, binary string) {
	senders := 50
	if testing.Short() || underRace() {
		senders = 30 // still more than the budget holds
	}
	for _, c := range []struct {
		name, to string
		most     float64 // of memory of its own, MB: what may be held, and the process itself
	}{
		{"to traps", "one@traps.example", 100},
		{"to a reporter", "submit.k3j9@reports.example", 330},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, binary, reporter)
			d := s.serve()
			peak := d.watchMemory()
			taken, later := d.bringLarge(senders, c.to)
			most := peak() / 1e6
			t.Logf("%d senders of %d bytes: %d taken, %d told to come later, at most %.0f MB", senders,
				largest, len(taken), later, most)
			if most > c.most && !underRace() {
				t.Errorf("%.0f MB in memory, want %.0f at most", most, c.most)
			}
			if len(taken)+later != senders || len(taken) < senders/3 {
				t.Errorf("%d of %d taken, %d told to come later", len(taken), senders, later)
			}
			checkAllThere(t, s, taken)
			hits := records[admin.Hit](s, "hits", "--limit", "0")
			if len(hits) != len(taken) {
				t.Errorf("%d hits of %d messages", len(hits), len(taken))
			}
			for _, h := range hits {
				if h.Size < largest-100 { // of a report, what is attached
					t.Errorf("a hit of %d bytes", h.Size)
				}
			}
		})
	}
}

// bringLarge brings the largest message from many senders at once: which were taken, and how many
// were told to come later.
func (d *server) bringLarge(senders int, to string) (taken []string, later int) {
	d.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range senders {
		all.Go(func() {
			name := fmt.Sprintf("large-%d", n)
			err := d.bringLargest(netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), name, to)
			mu.Lock()
			defer mu.Unlock()
			var refusal *textproto.Error
			switch {
			case err == nil:
				taken = append(taken, name)
			case errors.As(err, &refusal) && strings.HasPrefix(err.Error(), "451 4.3.1 "):
				later++
			default:
				d.Errorf("sender %d: %v", n, err)
			}
		})
	}
	all.Wait()
	return taken, later
}

// bringLargest brings one message. An error may be the answer to any step.
func (d *server) bringLargest(source netip.Addr, name, to string) error {
	c, err := dial(d.proxy, source)
	if err != nil {
		return err
	}
	defer c.leave()
	if err := c.begin(name+"@sender.example", to); err != nil {
		return err
	}
	head := fmt.Sprintf("Subject: %s\r\nContent-Type: message/rfc822\r\n\r\nReceived: from x "+
		"(x [198.51.100.7])\r\n\tby mx1.corp.example (Postfix) with ESMTP id 4F2A7;\r\n\t%s\r\n\r\n",
		name, time.Now().UTC().Format(time.RFC1123Z))
	const line = 64
	fill := largest - len(head)
	text := strings.Repeat("x", line+fill%line-2) + "\r\n" +
		strings.Repeat(strings.Repeat("y", line-2)+"\r\n", fill/line-1)
	return c.say(250, "%s%s.", head, text)
}

// watchMemory begins to look how much memory the daemon has of its own; the function it gives ends
// that and tells the most that was seen, in bytes.
func (d *server) watchMemory() (most func() float64) {
	if _, err := d.status(); err != nil {
		d.Skip("needs /proc: ", err)
	}
	stop, peak := make(chan struct{}), make(chan float64)
	go func() {
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		for most := 0.0; ; {
			if all, err := d.status(); err == nil {
				most = max(most, all["RssAnon"])
			}
			select {
			case <-look.C:
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	return func() float64 {
		close(stop)
		return <-peak
	}
}
