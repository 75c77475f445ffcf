package daemon

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/trapline/trapline/internal/config"
)

// over is the change that adds listeners to the plain configuration, for LMTP on unix sockets.
func over(addresses ...string) []string {
	var text strings.Builder
	for _, a := range addresses {
		fmt.Fprintf(&text, "[[listen]]\naddress = %q\ntls = \"off\"\n", a)
		if strings.HasPrefix(a, "unix:") {
			text.WriteString("protocol = \"lmtp\"\n")
		}
	}
	return []string{"[[trap]]\ndomain", text.String() + "[[trap]]\ndomain"}
}

// rooms makes a folder and a symbolic link to it, whose paths are short enough for sockets.
func rooms(t *testing.T) (run, link string) {
	t.Helper()
	base, err := os.MkdirTemp("", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	run, link = filepath.Join(base, "run"), filepath.Join(base, "run2")
	if err := errors.Join(os.Mkdir(run, 0o700), os.Symlink("run", link)); err != nil {
		t.Fatal(err)
	}
	return run, link
}

// greets fails unless mail is taken at the path.
func greets(t *testing.T, path string) {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.Close() }()
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "220 ") {
		t.Errorf("%s: %q, %v", path, line, err)
	}
}

// gone fails unless nothing lies at the path.
func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there: %v", path, err)
	}
}

// dead makes a socket on which nobody answers.
func dead(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSocketTakesNoFile: whatever lies where a socket shall be, it goes only when it is a socket
// on which nobody answers.
func TestSocketTakesNoFile(t *testing.T) {
	run, _ := rooms(t)
	path := filepath.Join(run, "x.sock")
	for _, c := range []struct {
		name, want string
		lay        func() error
	}{
		{"a file", "is there and is no socket", func() error { return os.WriteFile(path, []byte("kept"), 0o600) }},
		{"a folder", "is there and is no socket", func() error { return os.Mkdir(path, 0o700) }},
		{"a link", "is there and is no socket", func() error {
			dead(t, filepath.Join(run, "other.sock"))
			return os.Symlink("other.sock", path)
		}},
		{"no folder", "no such file", func() error { return os.RemoveAll(run) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.lay(); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			s, err := openSocket(path)
			if err == nil {
				t.Fatal("was opened: ", s.Close())
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, want %q and the path", err, c.want)
			}
			if after, _ := os.Lstat(path); before != nil && !os.SameFile(before, after) {
				t.Error("it was touched")
			}
			_ = os.RemoveAll(path)
		})
	}
}

func TestSocketInUse(t *testing.T) {
	run, _ := rooms(t)
	path := filepath.Join(run, "x.sock")
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := openSocket(path); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want %v", err, syscall.EADDRINUSE)
	}
	if c, err := net.Dial("unix", path); err != nil || c.Close() != nil {
		t.Errorf("who answered before: %v", err)
	}
}

// TestSocketLife: a socket comes under its name only when it is placed, is never open to everybody,
// and goes only while it is still the one that lies there.
func TestSocketLife(t *testing.T) {
	run, link := rooms(t)
	path := filepath.Join(run, "x.sock")
	dead(t, path)
	dead(t, path+".new") // of one that was killed
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	s, err := openSocket(filepath.Join(link, "x.sock"))
	if err != nil {
		t.Fatal(err)
	}
	gone(t, path)
	if err := s.place(); err != nil {
		t.Fatal(err)
	}
	gone(t, path+".new")
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if c, err := net.Dial("unix", path); err != nil || c.Close() != nil {
		t.Error(err)
	}
	if s.Addr().String() != filepath.Join(link, "x.sock") {
		t.Errorf("calls itself %s", s.Addr())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	heir, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.Close(), s.Close() // a server closes more than once
	if c, err := net.Dial("unix", path); err != nil || c.Close() != nil {
		t.Errorf("the heir: %v", err)
	}
	_ = heir.Close()
}

// TestSocketPlaceTakesNoFile: what came between opening and placing stays.
func TestSocketPlaceTakesNoFile(t *testing.T) {
	run, _ := rooms(t)
	path := filepath.Join(run, "x.sock")
	s, err := openSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.place(); err == nil {
		t.Error("took the place of a file")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	gone(t, path+".new")
	if text, err := os.ReadFile(path); err != nil || string(text) != "kept" {
		t.Errorf("the file: %q, %v", text, err)
	}
}

// TestReloadKeepsFiles: no spelling of an address makes a reload remove what is not a dead socket.
func TestReloadKeepsFiles(t *testing.T) {
	h := newHouse(t)
	_, link := rooms(t)
	if err := os.Symlink(h.dir, filepath.Join(link, "d")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{h.dir + "/ledger.db", filepath.Join(link, "d", "ledger.db"),
		h.dir + "/trapline.toml", filepath.Join(link, "d", "admin.sock")} {
		file := filepath.Join(h.dir, filepath.Base(path))
		before, err := os.Lstat(file)
		if err != nil {
			t.Fatal(err)
		}
		h.configure(over("unix:" + path)...)
		if _, err := h.reload(t.Context(), "tester"); err == nil {
			t.Errorf("%s: reloaded", path)
		}
		if after, err := os.Lstat(file); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestReloadPlaceTaken: a file that comes between the check and the commit stays, and the daemon
// is told to stop.
func TestReloadPlaceTaken(t *testing.T) {
	h := newHouse(t)
	run, _ := rooms(t)
	path := filepath.Join(run, "l.sock")
	turn, err := h.doors.prepare([]config.Listen{{Address: config.Address{Network: "unix", Name: path}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.doors.commit(turn, h.current.Load().listeners)
	select {
	case err := <-h.doors.failed:
		if !strings.Contains(err.Error(), "is there and is no socket") {
			t.Error(err)
		}
	default:
		t.Error("nobody is told")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "kept" {
		t.Errorf("the file: %q, %v", text, err)
	}
}

// TestReloadSpellings: a path that is spelled otherwise is the same socket, which stays.
func TestReloadSpellings(t *testing.T) {
	h := newHouse(t)
	run, link := rooms(t)
	path := filepath.Join(run, "l.sock")
	h.become(over("unix:" + path)...)
	greets(t, path)
	before, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	h.become(over("unix:" + filepath.Join(link, "l.sock"))...)
	greets(t, path)
	if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("another socket, or none: %v", err)
	}
	h.become()
	gone(t, path)
}

// TestReloadFailsReachable: where a reload fails, all that is in force can still be reached, and
// nothing of the other configuration.
func TestReloadFailsReachable(t *testing.T) {
	h := newHouse(t)
	run, link := rooms(t)
	path, other := filepath.Join(run, "l.sock"), filepath.Join(run, "m.sock")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	h.become(over("unix:" + path)...)
	for _, spelling := range []string{path, filepath.Join(link, "l.sock")} {
		h.configure(over("unix:"+spelling, "unix:"+other, taken.Addr().String())...)
		if _, err := h.reload(t.Context(), "tester"); err == nil ||
			!strings.Contains(err.Error(), "address already in use") {
			t.Fatal(err)
		}
		greets(t, path)
		gone(t, other)
		gone(t, other+".new")
	}
	h.become(over("unix:"+path, "unix:"+other)...)
	greets(t, path)
	greets(t, other)
}

// TestReloadKeepsHanded: a socket of systemd's that a failed reload took waits for the next one.
func TestReloadKeepsHanded(t *testing.T) {
	h := newHouse(t)
	handed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	h.doors.handed = map[string][]net.Listener{"smtp": {handed}}
	h.configure(over("fd:smtp", taken.Addr().String())...)
	if _, err := h.reload(t.Context(), "tester"); err == nil ||
		!strings.Contains(err.Error(), "address already in use") {
		t.Fatal(err)
	}
	h.become(over("fd:smtp")...)
	h.dial(handed.Addr().String()).say("HELO x", "250")
}

// TestAdminSocketTakesNoFile: a start with a file where the admin socket shall be ends, and the
// file stays.
func TestAdminSocketTakesNoFile(t *testing.T) {
	run, _ := rooms(t)
	path := filepath.Join(run, "precious")
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &Daemon{}
	err := d.openAdmin(&config.Config{Admin: config.Admin{Socket: path}})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want one that names %s", err, path)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "kept" {
		t.Errorf("the file: %q, %v", text, err)
	}
}

// TestSocketIsNeverOpen: not even before its mode is set may everybody connect.
func TestSocketIsNeverOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a name takes the rights of its socket on Linux alone")
	}
	run, _ := rooms(t)
	path := filepath.Join(run, "x.sock")
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	private := net.ListenConfig{Control: limitMode}
	l, err := private.Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
