package daemon

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/internal/testpeer"
	"github.com/trapline/trapline/store"
)

// house is a daemon in this process whose parts a test can look at.
type house struct {
	testing.TB
	*Daemon
	dir string
	log *book
	how []config.Log // told by reloads
}

// book is a log that several goroutines write.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// plain is the configuration that reloads of a house begin with.
const plain = `
hostname = "mx.traps.example"
data_dir = "%s"
[limits]
free_bytes = 0
[[listen]]
address = "127.0.0.1:0"
tls = "off"
[[trap]]
domain = "traps.example"
[zone]
min_interval = "1s"
[web]
address = ""
[ops]
address = ""
`

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{TB: t, dir: t.TempDir(), log: &book{}}
	c, err := config.Load(h.configure())
	if err != nil {
		t.Fatal(err)
	}
	h.Daemon = &Daemon{options: Options{Events: ops.New(zerolog.New(h.log)), Now: time.Now,
		Ready: func(map[string]string, string) {},
		Log:   func(l config.Log) { h.how = append(h.how, l) }}}
	if _, err := h.start(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.stack.unwind(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := h.judge.Await(t.Context(), h.store.Mark().Decision); err != nil {
		t.Fatal(err)
	}
	return h
}

// configure writes the plain configuration with some texts replaced by others.
func (h *house) configure(changes ...string) string {
	h.Helper()
	path := filepath.Join(h.dir, "trapline.toml")
	text := strings.NewReplacer(changes...).Replace(fmt.Sprintf(plain, h.dir))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.Fatal(err)
	}
	return path
}

// become reloads the plain configuration with changes, which has to succeed.
func (h *house) become(changes ...string) {
	h.Helper()
	h.configure(changes...)
	if _, err := h.reload(h.Context(), "tester"); err != nil {
		h.Fatal(err)
	}
}

// last is the newest decision of the ledger.
func (h *house) last() criteria.Decision {
	h.Helper()
	end := h.store.Mark().Decision
	return h.store.Decisions(end-1, end)[0]
}

// talker is a session.
type talker struct {
	testing.TB
	net.Conn
	in *bufio.Reader
}

func (h *house) dial(address string) *talker {
	h.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = c.Close() })
	t := &talker{h, c, bufio.NewReader(c)}
	t.expect("220")
	return t
}

func (t *talker) expect(code string) string {
	t.Helper()
	line, err := t.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, code) {
		t.Fatalf("%q, %v, want %s", line, err, code)
	}
	return line
}

func (t *talker) say(line, code string) {
	t.Helper()
	if _, err := io.WriteString(t, line+"\r\n"); err != nil {
		t.Fatal(err)
	}
	t.expect(code)
}

// TestReloadListeners: a socket that stays keeps its port, one that comes takes mail, one that goes
// takes no more; and a session goes on as it began, through a reload that took its socket and its
// trap away.
func TestReloadListeners(t *testing.T) {
	h := newHouse(t)
	first := h.doors.names()["mail 1"]
	const two = "[[listen]]\naddress = \"127.0.0.2:0\"\ntls = \"off\"\n[[trap]]\ndomain"
	h.become("[[trap]]\ndomain", two)
	names := h.doors.names()
	if names["mail 1"] != first || len(names) != 2 {
		t.Fatalf("listeners %v, the first was %s", names, first)
	}
	old := h.dial(first)
	old.say("HELO x", "250")
	h.become("127.0.0.1:0", "127.0.0.2:0", `"traps.example"`, `"other.example"`)
	if got := h.doors.names(); got["mail 1"] != names["mail 2"] || len(got) != 1 {
		t.Fatalf("listeners %v, want that of %v that stayed", got, names)
	}
	if _, err := net.Dial("tcp", first); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the socket that went: %v", err)
	}
	old.say("MAIL FROM:<>", "250")
	old.say("RCPT TO:<one@other.example>", "550")
	old.say("RCPT TO:<one@traps.example>", "250")
	old.say("DATA", "354")
	old.say("Subject: offer\r\n\r\nBuy.\r\n.", "250")
	young := h.dial(names["mail 2"])
	young.say("HELO x", "250")
	young.say("MAIL FROM:<>", "250")
	young.say("RCPT TO:<one@traps.example>", "550")
	young.say("RCPT TO:<one@other.example>", "250")
	if h.store.Mark().LSN != 1 {
		t.Errorf("%d hits, want the one that got its 250", h.store.Mark().LSN)
	}
}

// TestReloadWhole: whatever fails, nothing is in force of the new configuration, and no socket of
// it is left.
func TestReloadWhole(t *testing.T) {
	h := newHouse(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	const threshold = "[criteria]\nthreshold = 99\n[zone]"
	for _, c := range []struct {
		name, want string
		changes    []string
	}{
		{"socket in use", "address already in use", []string{"[[trap]]\ndomain", "[[listen]]\naddress = \"127.0.0.3:0\"\n" +
			"[[listen]]\naddress = \"" + taken.Addr().String() + "\"\n[[trap]]\ndomain"}},
		{"held by one that goes", "take that out in a reload before", []string{"127.0.0.1:0", taken.Addr().String()}},
		{"metrics in use", "listen for ops", []string{"[ops]\naddress = \"\"", "[ops]\naddress = \"" + taken.Addr().String() + "\""}},
		{"a fault", "weight", []string{`domain = "traps.example"`, "domain = \"traps.example\"\nweight = -1.0"}},
		{"another folder", "data_dir", []string{h.dir, h.dir + "/elsewhere"}},
		{"another zone", "another name is another zone", []string{"[zone]", "[zone]\norigin = \"bl.other.example\""}},
		{"another hostname", "zone.origin changed", []string{"mx.traps.example", "mx2.traps.example"}},
		{"another socket", "admin.socket changed, which takes a restart", []string{"[ops]", "[admin]\nsocket = \"other.sock\"\n[ops]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, mark, files := h.current.Load(), h.store.Mark().Decision, openFiles(t)
			doors := fmt.Sprint(h.doors.names())
			h.configure(append([]string{"[zone]", threshold}, c.changes...)...)
			if c.name == "another zone" {
				h.configure(c.changes...)
			}
			_, err := h.reload(t.Context(), "tester")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if h.current.Load() != before || h.store.Mark().Decision != mark ||
				fmt.Sprint(h.doors.names()) != doors {
				t.Error("something is in force of it")
			}
			testpeer.Eventually(t, patience, "no more open files than before", func() bool {
				return openFiles(t) <= files
			})
		})
	}
	h.become("[zone]", threshold)
	if p := h.current.Load().config.Policy; p.Threshold != 99*criteria.One {
		t.Errorf("then a good one: %+v", p)
	}
}

// openFiles counts the descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no /proc here to count open files in")
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestReloadParts: what is not read by sessions follows, too: zone, metrics, storage, log.
func TestReloadParts(t *testing.T) {
	h := newHouse(t)
	testpeer.Eventually(t, patience, "the first zone", func() bool { return h.zone.State().Serial > 0 })
	h.become("[zone]", "[zone]\ntext = \"Blocked: $\"\nttl = \"7m\"",
		"[ops]\naddress = \"\"", "[ops]\naddress = \"127.0.0.1:0\"",
		"[web]", "[log]\nlevel = \"debug\"\nformat = \"console\"\n[web]",
		"free_bytes = 0", "free_bytes = 1099511627776",
	)
	testpeer.Eventually(t, patience, "the zone with another text", func() bool {
		text, err := os.ReadFile(filepath.Join(h.dir, "zone", "bl.mx.traps.example"))
		return err == nil && bytes.Contains(text, []byte("Blocked: $")) &&
			bytes.Contains(text, []byte("$TTL 420"))
	})
	if free, err := store.FreeBytes(h.dir); err == nil && free < 1<<40 {
		testpeer.Eventually(t, patience, "a disk with too little room", func() bool {
			return errors.Is(h.store.Room(), store.ErrFull)
		})
	}
	if len(h.how) != 1 || h.how[0] != (config.Log{Level: "debug", Format: "console"}) {
		t.Errorf("the log was told %+v", h.how)
	}
	address := h.page.Addr().String()
	if reply, err := http.Get("http://" + address + "/healthz"); err != nil || reply.Body.Close() != nil ||
		reply.StatusCode != http.StatusOK {
		t.Errorf("metrics that came: %v, %v", reply, err)
	}
	http.DefaultClient.CloseIdleConnections()
	h.become()
	if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("metrics that went: %v", err)
	}
	testpeer.Eventually(t, patience, "a disk with room again", func() bool { return h.store.Room() == nil })
}

// TestReloadIsAudited: each reload that changes anything is one decision, with who, before, after
// and what, and an event for each area; neither names a trap or a secret.
func TestReloadIsAudited(t *testing.T) {
	h := newHouse(t)
	first := h.last()
	if first.Act != criteria.ActConfig || first.Who != byFile || first.Reason != "the first" {
		t.Fatalf("the start is %+v", first)
	}
	h.become()
	if h.last().Seq != first.Seq {
		t.Errorf("a reload that changes nothing: %+v", h.last())
	}
	h.become("[zone]", "[[trap]]\naddress = \"hidden.one@corp.example\"\n[zone]", "free_bytes = 0",
		"free_bytes = 1\nrecipients = 7")
	second := h.last()
	const note = "limits: 2 changed (limits.recipients, limits.free_bytes); trap: 1 added"
	if second.Act != criteria.ActConfig || second.Who != "tester" || second.Name == first.Name ||
		second.Reason != note {
		t.Errorf("a reload is %+v", second)
	}
	h.become()
	if third := h.last(); third.Name != first.Name || third.Seq != second.Seq+1 {
		t.Errorf("the configuration of before is version %s, was %s", third.Name, first.Name)
	}
	log := h.log.String()
	for _, want := range []string{
		`"event":"config-changed","area":"limits","added":0,"removed":0,"changed":2,` +
			`"keys":["limits.recipients","limits.free_bytes"]`,
		`"event":"config-changed","area":"trap","added":1,"removed":0,"changed":0,"keys":[]`,
		`"event":"config-changed","area":"trap","added":0,"removed":1,"changed":0,"keys":[]`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("not in the log: %s\n%s", want, log)
		}
	}
	if strings.Contains(log, "hidden") || strings.Contains(second.Reason, "hidden") {
		t.Error("a trap is named")
	}
}

// TestReloadWhileStopping: doors that a reload opened while the daemon stops are closed again.
func TestReloadWhileStopping(t *testing.T) {
	h := newHouse(t)
	turn, err := h.doors.prepare([]config.Listen{{Address: config.Address{Network: "tcp", Name: "127.0.0.4:0"}}})
	if err != nil {
		t.Fatal(err)
	}
	address := turn.all[0].Addr().String()
	if err := h.doors.close(t.Context()); err != nil {
		t.Error(err)
	}
	h.doors.commit(turn, h.current.Load().listeners)
	if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the door of a daemon that stops: %v", err)
	}
}
