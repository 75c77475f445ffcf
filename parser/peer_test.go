package parser

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-message/textproto"

	"github.com/trapline/trapline/internal/testpeer"
)

// batch is what the parsers are compared on.
type batch struct {
	name     string
	messages [][]byte
	c        Connection
	trust    Trust
	networks string // trust, as SpamAssassin is told of it
	source   string // that all must find in the last message; "" where no trust is the same
}

// batches are a synthetic message and, where the corpus is, real ones. A line alone is a message
// of one line.
func batches(b *testing.B) []batch {
	b.Helper()
	c, trust := fiveTrusted()
	all := []batch{{name: "five-hops", messages: [][]byte{fiveHops()}, c: c, trust: trust,
		networks: "192.0.2.10/32,192.0.2.20/32,10.1.0.0/16", source: peer.String()}}
	const everyone = "0.0.0.0/0,::/0"
	lines := batch{name: "lines", c: Connection{Peer: peer}, trust: trustAll(), networks: everyone}
	for _, row := range readLines[caseLine](b, "../testdata/received.jsonl") {
		lines.messages = append(lines.messages,
			fmt.Appendf(nil, "Received: %s\n\n", latin1(row.Received[0])))
	}
	spam := batch{name: "spam", c: Connection{Peer: peer}, trust: trustAll(), networks: everyone}
	paths, _ := filepath.Glob("../../shared/corpus/spam/*")
	for _, path := range paths {
		message, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		if isMboxLine(message) { // the libraries would stop there
			_, message, _ = bytes.Cut(message, []byte("\n"))
		}
		spam.messages = append(spam.messages, message)
	}
	if len(paths) == 0 {
		b.Log("no corpus: real messages are left out")
		return append(all, lines)
	}
	return append(all, lines, spam)
}

// BenchmarkPeers reads the same messages with Parse and with others. Only SpamAssassin does what
// Parse does; the libraries stop at the fields. The op is a message, its time is processor time,
// garbage collection included: what else the machine does counts less. Metric x is how many times
// as long a peer takes as Parse at its best in the same run.
func BenchmarkPeers(b *testing.B) {
	for _, batch := range batches(b) {
		var ours time.Duration // for a message, the shortest
		run := func(name string, work func(b *testing.B, n int) time.Duration) {
			b.Run(batch.name+"/"+name, func(b *testing.B) {
				n := batch.whole(b.N)
				spent := work(b, n)
				per := spent / time.Duration(n)
				b.ReportMetric(float64(per), "ns/op")
				b.ReportMetric(float64(time.Second)/float64(per), "messages/s")
				switch {
				case name != "trapline":
					b.ReportMetric(float64(per)/float64(ours), "x")
				case ours == 0 || spent > enough && per < ours:
					ours = per
				}
			})
		}
		run("trapline", batch.parse)
		run("net-mail", batch.with(readMail))
		run("textproto", batch.with(readTextproto))
		run("spamassassin", batch.perl("whole"))
		run("spamassassin-lines", batch.perl("lines"))
	}
}

// enough is how long a measurement must take to hold its share of garbage collection.
const enough = 20 * time.Millisecond

// whole rounds up, so that no message counts more often than another.
func (s *batch) whole(n int) int {
	size := len(s.messages)
	return (n + size - 1) / size * size
}

func (s *batch) parse(b *testing.B, n int) time.Duration {
	b.ReportAllocs()
	start := processorTime(b)
	for i := range n {
		Parse(s.messages[i%len(s.messages)], s.c, s.trust)
	}
	return processorTime(b) - start
}

// with reads the messages with a library, and reports the share that it refuses.
func (s *batch) with(read func([]byte) error) func(*testing.B, int) time.Duration {
	return func(b *testing.B, n int) time.Duration {
		b.ReportAllocs()
		refused := 0
		start := processorTime(b)
		for i := range n {
			if read(s.messages[i%len(s.messages)]) != nil {
				refused++
			}
		}
		b.ReportMetric(float64(refused)/float64(n), "refused")
		return processorTime(b) - start
	}
}

// processorTime is what this process has used so far, on all cores.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatalf("read processor time: %v", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// sink keeps what is read from being optimised away.
func sink(values ...string) error {
	for _, v := range values {
		if v == "\x00" {
			return errors.New("read value: a NUL alone")
		}
	}
	return nil
}

func readMail(message []byte) error {
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		return err
	}
	return sink(append(m.Header["Received"], m.Header.Get("From"), m.Header.Get("Subject"))...)
}

func readTextproto(message []byte) error {
	h, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(message)))
	if err != nil {
		return err
	}
	return sink(append(h.Values("Received"), h.Get("From"), h.Get("Subject"))...)
}

// perl has SpamAssassin read the messages. It measures itself.
func (s *batch) perl(what string) func(*testing.B, int) time.Duration {
	return func(b *testing.B, n int) time.Duration {
		p := s.startPerl(b)
		b.ResetTimer()
		answer := p.ask(b, fmt.Sprintf("%s %d\n", what, n))
		b.StopTimer()
		if answer.relays == 0 || s.source != "" && answer.source != s.source {
			b.Fatalf("%d relays, source %s; want %s", answer.relays, answer.source, s.source)
		}
		return time.Duration(answer.seconds * float64(time.Second))
	}
}

// perlPeer is the script of testdata, waiting for commands.
type perlPeer struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// reply is what the script answers.
type reply struct {
	seconds float64
	relays  int
	source  string
}

func (p *perlPeer) ask(b *testing.B, command string) reply {
	b.Helper()
	var r reply
	if _, err := io.WriteString(p.in, command); err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Fscan(p.out, &r.seconds, &r.relays, &r.source); err != nil {
		b.Fatalf("read the script's answer: %v", err)
	}
	return r
}

// startPerl starts the script with the messages in files. It ends with its input.
func (s *batch) startPerl(b *testing.B) *perlPeer {
	b.Helper()
	testpeer.Need(b, "spamassassin", "spamassassin")
	args := []string{"testdata/spamassassin.pl", s.networks}
	dir := b.TempDir()
	for i, message := range s.messages {
		path := filepath.Join(dir, fmt.Sprintf("%04d", i))
		if err := os.WriteFile(path, message, 0o600); err != nil {
			b.Fatal(err)
		}
		args = append(args, path)
	}
	cmd := exec.Command("perl", args...)
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			b.Error(err)
		}
	})
	p := &perlPeer{in, bufio.NewReader(out)}
	p.ask(b, "lines 1\n") // it has loaded
	return p
}
