package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// rush is mail that comes while the configuration changes under it.
type rush struct {
	*server
	socket string // of a listener that comes and goes
	stop   chan struct{}
	wait   sync.WaitGroup

	mu     sync.Mutex // guards what follows
	taken  int        // messages that got their 250
	local  int        // of them, over the socket
	faults []error    // what no sender may see
}

func (r *rush) over() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// note counts a message that was taken, or keeps what went wrong.
func (r *rush) note(local int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.faults = append(r.faults, err)
		return
	}
	r.taken++
	r.local += local
}

// come has a sender come until the end; it says how it does and how often a message is one.
func (r *rush) come(send func(n int) error) {
	r.wait.Go(func() {
		for n := 0; !r.over(); n++ {
			if err := send(n); err != nil {
				r.note(0, err)
				return
			}
		}
	})
}

// bringKept sends ten messages in a session.
func (r *rush) bringKept(sender, n int) error {
	c, err := dial(r.proxy, netip.AddrFrom4([4]byte{198, 51, 100, byte(sender)}))
	if err != nil {
		return err
	}
	defer c.leave()
	for i := range 10 {
		if err := c.send(fmt.Sprintf("kept-%d-%d-%d", sender, n, i), "one@traps.example"); err != nil {
			return fmt.Errorf("message %d of a session: %w", i, err)
		}
		r.note(0, nil)
	}
	return c.say(221, "QUIT")
}

func (r *rush) bringNew(sender, n int) error {
	err := r.bring(fmt.Sprintf("198.51.100.%d", sender), fmt.Sprintf("new-%d-%d", sender, n), "two@traps.example")
	if err == nil {
		r.note(0, nil)
	}
	return err
}

// bringLocal brings three messages over a socket that may not be there. Where it was greeted, the
// session must come to its end, though the socket goes meanwhile.
func (r *rush) bringLocal(n int) error {
	c, err := net.Dial("unix", r.socket)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	if _, err := in.ReadString('\n'); err != nil {
		return nil // it was not accepted before the socket went
	}
	for i := range 3 {
		for _, line := range []string{"LHLO local", "MAIL FROM:<a@b.example>", "RCPT TO:<one@traps.example>", "DATA",
			fmt.Sprintf("Subject: local %d %d\r\n\r\nBuy.\r\n.", n, i)} {
			if err := exchange(c, in, line); err != nil {
				return fmt.Errorf("over the socket, at %q: %w", line, err)
			}
		}
		r.note(1, nil)
	}
	return nil
}

// exchange says a line and wants it taken.
func exchange(c io.Writer, in *bufio.Reader, line string) error {
	if _, err := io.WriteString(c, line+"\r\n"); err != nil {
		return err
	}
	for {
		reply, err := in.ReadString('\n')
		switch {
		case err != nil:
			return err
		case reply[0] != '2' && reply[0] != '3':
			return errors.New(strings.TrimSpace(reply))
		case reply[3] != '-':
			return nil
		}
	}
}

// testReloadUnderLoad: while mail comes, fifty reloads change listeners, traps, limits and policy.
// Nobody's session is cut, every 250 is a hit, the audit says what each changed, and nothing of what
// was opened is left over.
func testReloadUnderLoad(t *testing.T, binary string) {
	const reloads = 50
	s := newSite(t, binary, "")
	d := s.serve()
	r := &rush{server: d, socket: s.path("lmtp.sock"), stop: make(chan struct{})}
	other := fmt.Sprintf("\n[[listen]]\naddress = \"unix:%s\"\nprotocol = \"lmtp\"\n"+
		"[[trap]]\ndomain = \"bait.example\"\n[criteria]\nthreshold = 26\n", r.socket)
	files := d.openFiles()
	for i := range 3 {
		r.come(func(n int) error { return r.bringKept(10+i, n) })
		r.come(func(n int) error { return r.bringNew(20+i, n) })
	}
	r.come(r.bringLocal)
	for i := range reloads {
		s.configure([]string{other, ""}[i%2])
		if i%5 == 4 {
			if got := d.hangUp(); got.Error != "" {
				t.Errorf("reload %d by a signal: %+v", i, got)
			}
			continue
		}
		s.tell("reload")
	}
	close(r.stop)
	r.wait.Wait()
	for _, err := range r.faults {
		t.Error(err)
	}
	hits := records[admin.Hit](s, "hits", "--limit", "0")
	t.Logf("%d messages taken, %d of them over the socket that came and went; %d hits", r.taken, r.local, len(hits))
	if len(hits) != r.taken || r.local == 0 || r.taken < 10*reloads {
		t.Errorf("%d hits of %d messages that were taken, %d locally", len(hits), r.taken, r.local)
	}
	changes := records[admin.Decision](s, "audit", "--act", "config", "--oldest-first", "--limit", "0")
	if len(changes) != 1+reloads {
		t.Fatalf("the audit has %d configurations, want one for the start and %d", len(changes), reloads)
	}
	for i, c := range changes[1:] {
		before := changes[i]
		if !slices.Equal(c.Parts, []string{"criteria", "listen", "trap"}) || c.Before == nil ||
			c.Before.Name != before.Name || c.Name == before.Name || c.Who == "" ||
			!strings.Contains(c.Reason, "listen: 1 ") {
			t.Errorf("reload %d is %+v", i, c)
		}
	}
	testpeer.Eventually(t, patience, "no more open files than before", func() bool {
		return d.openFiles() <= files+2 // the log of a day that has begun, and one that is being read
	})
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
}

// openFiles counts the descriptors of the daemon, 0 where nobody can.
func (d *server) openFiles() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return len(entries)
}
