package ops

import (
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	penDelay = 100 * time.Millisecond // for a line to wait for others, at most
	penRoom  = 64 << 10               // for lines that wait
)

// Pen writes log lines, several at once: under load there is one for each
// message, and to write them one by one costs as much as to answer a command.
// What is a warning or worse is written at once, with all that waits before it.
// A process that is killed loses the lines of its last tenth of a second.
type Pen struct {
	mu    sync.Mutex // guards all below, and out
	out   io.Writer
	lines []byte
	timer *time.Timer // runs while lines wait
}

// NewPen makes a pen that writes to out. Close it before the process ends.
func NewPen(out io.Writer) *Pen {
	p := &Pen{out: out}
	p.timer = time.AfterFunc(penDelay, func() { _ = p.Close() })
	p.timer.Stop()
	return p
}

var _ zerolog.LevelWriter = (*Pen)(nil)

// Write writes a line of no level at once.
func (p *Pen) Write(line []byte) (int, error) { return p.WriteLevel(zerolog.NoLevel, line) }

// WriteLevel writes a line sooner or later, by its level.
func (p *Pen) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) == 0 {
		p.timer.Reset(penDelay)
	}
	p.lines = append(p.lines, line...)
	if level < zerolog.WarnLevel && len(p.lines) < penRoom {
		return len(line), nil
	}
	return len(line), p.flush()
}

// Close writes what waits. The pen may be used again.
func (p *Pen) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flush()
}

func (p *Pen) flush() error {
	p.timer.Stop()
	if len(p.lines) == 0 {
		return nil
	}
	_, err := p.out.Write(p.lines)
	p.lines = p.lines[:0]
	return err
}
