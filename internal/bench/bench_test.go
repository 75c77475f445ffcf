package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taker is a server that remembers what it took.
type taker struct {
	mu     sync.Mutex // guards all below
	digest map[[32]byte]bool
	sizes  map[int]int
	taken  int
}

func (k *taker) NewSession(*smtp.Conn) (smtp.Session, error) { return &taking{taker: k}, nil }

type taking struct {
	discard
	taker *taker
}

func (s *taking) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.taker.mu.Lock()
	defer s.taker.mu.Unlock()
	s.taker.digest[sha256.Sum256(content)] = true
	s.taker.sizes[len(content)]++
	s.taker.taken++
	return nil
}

// serve gives the address of a server that takes mail for the test.
func (k *taker) serve(t *testing.T) netip.AddrPort {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cert.pem")
	if err := makeCertificate(file); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(k)
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Shutdown(context.Background())
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// TestLoad brings mail in each way: what the client says was taken has come, whole and each message
// once.
func TestLoad(t *testing.T) {
	for _, scene := range (options{sessions: []int{1, 5}, client: ownClient}).scenarios() {
		t.Run(scene.String(), func(t *testing.T) {
			k := &taker{digest: map[[32]byte]bool{}, sizes: map[int]int{}}
			l := load{to: k.serve(t), sessions: scene.sessions, kept: scene.kept, secure: scene.secure,
				length: 50 * time.Millisecond, serial: new(atomic.Uint64)}
			taken, took, err := l.bring(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if taken < scene.sessions || took < l.length || taken != k.taken || taken != len(k.digest) {
				t.Errorf("the client counts %d in %v, the server %d, %d of them different",
					taken, took, k.taken, len(k.digest))
			}
			// The content ends with the line end before the dot.
			if diff := cmp.Diff(map[int]int{size - len(".\r\n"): taken}, k.sizes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLoadRefused ends a run with the answer that was not wanted.
func TestLoadRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "421 4.7.0 too many\r\n")
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}()
	_, _, err = load{to: netip.MustParseAddrPort(l.Addr().String()), sessions: 1,
		length: time.Minute, serial: new(atomic.Uint64)}.bring(t.Context())
	if err == nil || !strings.Contains(err.Error(), `want 220, got "421 4.7.0 too many`) {
		t.Errorf("got %v", err)
	}
}

func TestIsWhole(t *testing.T) {
	tests := []struct {
		name, text string
		want       bool
	}{
		{"nothing", "", false},
		{"a line", "250 OK\r\n", true},
		{"a line without text", "250 \r\n", true},
		{"part of a line", "250 O", false},
		{"first of several", "250-mx\r\n", false},
		{"several", "250-mx\r\n250 PIPELINING\r\n", true},
		{"several and part of the last", "250-mx\r\n250 PIPE", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := isWhole([]byte(tt.text)); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestReadStat(t *testing.T) {
	tests := []struct {
		name, text string
		pid        int
		want       usage
		bad        bool
	}{
		{"plain", "7 (smtpd) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1", 7, usage{3, 100}, false},
		{"odd name", "8 (a) b) (c) R 1 0 0 0 0 0 0 0 0 0 1 2 3 4 0", 8, usage{1, 10}, false},
		{"cut off", "8 (a) R 1 0 0", 0, usage{}, true},
		{"no name", "8 a R 1 0 0 0 0 0 0 0 0 0 1 2 3 4 0", 0, usage{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pid, got, err := readStat(tt.text)
			if pid != tt.pid && !tt.bad || got != tt.want && !tt.bad || (err != nil) != tt.bad {
				t.Errorf("got %d, %+v, %v", pid, got, err)
			}
		})
	}
}

// TestCPU counts a process and its children, those that are gone too.
func TestCPU(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("needs /proc: ", err)
	}
	const loop = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
	cmd := exec.Command("sh", "-c", "("+loop+"); ("+loop+"; echo done; read x) <&0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("done"))); err != nil {
		t.Fatal(err)
	}
	whole, err := cpu(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the read has found nothing, which is its exit code
	spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if whole < spent-5*tick || whole > spent+tick || whole < tick {
		t.Errorf("counted %v, in the end it was %v", whole, spent)
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		args string
		want string // of the error
	}{
		{"defaults", "", ""},
		{"two binaries", "-trapline a/b,c/d -servers go-smtp -sessions 1 -only kept", ""},
		{"no number", "-sessions 20,many", `read -sessions: "many" is no number of sessions`},
		{"no rounds", "-rounds 0", "read options: nothing to measure"},
		{"unknown client", "-client swaks", "read -client: swaks is neither own nor smtp-source"},
		{"no scenario", "-only kept,clear", `read -only: no scenario holds "kept,clear"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(strings.Fields(tt.args))
			if got := textOf(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestScenarios(t *testing.T) {
	tests := []struct {
		name string
		o    options
		want string
	}{
		{"all", options{sessions: []int{20}}, "a message clear 20, kept clear 20, " +
			"a message STARTTLS 20, kept STARTTLS 20"},
		{"some", options{sessions: []int{20, 200}, only: "kept clear"}, "kept clear 20, kept clear 200"},
		{"by smtp-source", options{sessions: []int{1}, client: source}, "a message clear 1, kept clear 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range tt.o.scenarios() {
				got = append(got, s.String())
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTable(t *testing.T) {
	o := options{sessions: []int{20}, rounds: 2, length: time.Second, only: "clear"}
	peers := []peer{{name: "trapline"}, {name: "sink"}}
	each, kept := scenario{sessions: 20}, scenario{kept: true, sessions: 20}
	all := runs{
		each: {"trapline": {{100, 50}, {300, 70}}, "sink": {{200, 100}, {300, 100}}},
		kept: {"trapline": {{400, 10}, {400, 10}}},
	}
	want := `2 rounds of 1s by turns, messages of 4096 bytes, medians; rate ×, CPU ×: trapline's by the row's, pair by pair

connection  wire   sessions  server    messages/s  CPU µs/message  rate ×  CPU ×
a message   clear  20        trapline  200         60.0                    
                             sink      250         100.0           0.75    0.60
kept        clear  20        trapline  400         10.0                    
`
	if diff := cmp.Diff(want, tableOf(o, peers, all)); diff != "" {
		t.Error(diff)
	}
}

func TestShares(t *testing.T) {
	file := filepath.Join(t.TempDir(), "samples")
	const samples = `
    1 tcp_sendmsg
    2 entry_SYSCALL_64_after_hwframe
    3 internal/poll.(*FD).Write
    4 github.com/trapline/trapline/trap.(*socket).Write
    5 github.com/trapline/trapline/trap.(*guard).flush
    6 github.com/emersion/go-smtp.(*Conn).handle

    1 runtime.mallocgc
    2 github.com/emersion/go-smtp.(*Conn).handle
    3 runtime.goexit.abi0

    1 runtime.futex.abi0
    2 runtime.mcall

    1 [unknown]

`
	if err := os.WriteFile(file, []byte(samples), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = ` 25.0 %  dialogue: go-smtp
 25.0 %  runtime: scheduler
 25.0 %  sockets: replies
 25.0 %  the rest
of all, in system calls 25.0 %, getting memory 25.0 %
`
	var got strings.Builder
	if err := printShares(file, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
	if err := printShares(filepath.Join(t.TempDir(), "none"), &got); err == nil {
		t.Error("read a file that is not there")
	}
}
