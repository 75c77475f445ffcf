package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// meter shows how far something is, on the terminal behind stderr; in a file or a pipe
// nothing. It is one line that is written over, a few times a second.
type meter struct {
	to    io.Writer // nil: there is nobody to see it
	now   func() time.Time
	last  time.Time
	width int // of what stands there
}

// meterEvery is how long a line stands at least.
const meterEvery = 200 * time.Millisecond

func (a *app) meter() *meter {
	f, isFile := a.stderr.(*os.File)
	if !isFile || screenOf(f, os.Getenv).columns == 0 {
		return &meter{}
	}
	return &meter{to: a.stderr, now: a.now}
}

// show shows a part of a whole; a whole of 0 is not known.
func (m *meter) show(done, total uint64) {
	if total > 0 {
		const bar = 30
		done = min(done, total)
		full := strings.Repeat("#", int(bar*done/total))
		m.write("[%-*s] %3d %%", bar, full, min(99, 100*done/total))
	}
}

// count shows how many there are so far.
func (m *meter) count(n int, what string) { m.write("%s", number(n, what)) }

func (m *meter) write(format string, args ...any) {
	if m.to == nil {
		return
	}
	now := m.now()
	if now.Sub(m.last) < meterEvery {
		return
	}
	text := fmt.Sprintf(format, args...)
	_, _ = fmt.Fprintf(m.to, "\r%-*s", m.width, text) // who cannot be shown it needs it least
	m.last, m.width = now, max(m.width, len(text))
}

// clear takes the line away, so that something else can stand there.
func (m *meter) clear() {
	if m.width > 0 {
		_, _ = fmt.Fprintf(m.to, "\r%-*s\r", m.width, "")
	}
	m.width, m.last = 0, time.Time{}
}

// telling is a writer that tells how much was written.
type telling struct {
	to   io.Writer
	n    uint64
	tell func(uint64)
}

// Write passes on.
func (c *telling) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += uint64(n)
	c.tell(c.n)
	return n, err
}
