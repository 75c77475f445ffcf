package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// throng is clients that bring mail as fast as it is taken, each from an address
// of its own, until they are told to stop.
type throng struct {
	*server
	tag     string // of the names of its messages
	filler  string // behind the name in each message, so that disks fill
	clients sync.WaitGroup
	over    atomic.Bool
	later   atomic.Int64 // messages that were to be brought later: 4xx

	mu    sync.Mutex
	names []string // guarded by mu; of what was answered 250
}

func (d *server) besieged(tag, filler string) *throng {
	h := &throng{server: d, tag: tag, filler: filler}
	for n := range loaders {
		h.clients.Go(func() {
			for session := 0; !h.over.Load(); session++ {
				h.visit(n, session)
			}
		})
	}
	return h
}

// visit brings mail in one session until it ends.
func (h *throng) visit(client, session int) {
	c, err := dial(h.proxy, netip.AddrFrom4([4]byte{198, 51, 100, byte(client)}))
	if err != nil {
		return // the daemon is going, or too busy: the next session will show
	}
	defer c.leave()
	for n := 0; !h.over.Load(); n++ {
		name := fmt.Sprintf("%s-%d-%d-%d", h.tag, client, session, n)
		err := c.begin(name+"@sender.example", fmt.Sprintf("trap%d@traps.example", n%7))
		if err == nil {
			err = c.finish(name + h.filler)
		}
		var reply *textproto.Error
		switch {
		case err == nil:
			h.note(name)
		case !errors.As(err, &reply):
			return // cut off
		case reply.Code/100 != 4:
			h.Errorf("%s: %v", name, err)
			return
		default:
			h.later.Add(1)
			return
		}
	}
}

func (h *throng) note(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names = append(h.names, name)
}

func (h *throng) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.names)
}

// leave gives the names of all that was acknowledged.
func (h *throng) leave() []string {
	h.over.Store(true)
	h.clients.Wait()
	return h.names
}

// checkWhole: the store has no fault, and its state is what a replay gives.
func (s *site) checkWhole() {
	s.Helper()
	if r := s.run("check-store"); r.code != exitDone {
		s.Errorf("check-store: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// testFullDisk: a disk that fills under load refuses for now, publishes the zone
// that it has, loses nothing, and takes mail again by itself when there is room.
func testFullDisk(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	config := s.read("trapline.toml")
	config = strings.Replace(config, s.path("zone"), s.path("data/zone"), 1)
	s.write("trapline.toml", config)
	mountSmall(t, s.path("data"), "16m")
	d := s.serve()
	d.blame("203.0.113.1")
	testpeer.Eventually(t, patience, "the zone", func() bool {
		return strings.Contains(s.read("data/zone/"+origin+".txt"), "203.0.113.1")
	})
	ballast := fillUp(t, s.path("data/ballast"), 256<<10)
	h := d.besieged("m", strings.Repeat("\r\nA line that fills the disk", 200))
	testpeer.Eventually(t, patience, "the disk to be full", func() bool { return h.later.Load() > 20 })
	if r := s.run("zone", "verify"); r.code != exitDone {
		t.Errorf("the zone on a full disk: %+v", r)
	}
	if r := s.run("lookup", "203.0.113.1"); r.code != exitDone {
		t.Errorf("a look-up on a full disk: %+v", r)
	}
	before := h.count()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	testpeer.Eventually(t, patience, "mail to be taken again", func() bool { return h.count() > before+100 })
	acknowledged := h.leave()
	if d.isGone() {
		t.Error("the daemon has ended")
	}
	checkAllThere(t, s, acknowledged)
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	s.checkWhole()
	if r := s.run("zone", "verify"); r.code != exitDone {
		t.Errorf("the zone at the end: %+v", r)
	}
}

// fillUp makes a file that leaves so much of its disk.
func fillUp(t *testing.T, path string, leave int64) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for block := make([]byte, 16<<10); err == nil; size += int64(len(block)) {
		_, err = f.Write(block)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(max(0, size-leave)), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// mountSmall puts a file system of a size in the place of a folder, until the test
// ends.
func mountSmall(t *testing.T, dir, size string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no small disk to fill: mount: %v", err)
	}
	t.Cleanup(func() { // after the daemon's end: cleanups run last in, first out
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

// testStopUnderLoad: told to stop while everybody brings mail, the daemon ends well
// and has all that it acknowledged.
func testStopUnderLoad(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	d := s.serve()
	h := d.besieged("m", "")
	testpeer.Eventually(t, patience, "some mail", func() bool { return h.count() > 200 })
	d.signal(syscall.SIGTERM)
	if code := d.exit(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	checkAllThere(t, s, h.leave())
	s.checkWhole()
}

// testHotBackup: a backup that is made under load is the store as it stood at one
// instant, and lists what was listed then.
func testHotBackup(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	d := s.serve()
	d.blame("203.0.113.1")
	h := d.besieged("before", "")
	testpeer.Eventually(t, patience, "some mail", func() bool { return h.count() > 100 })
	before := h.leave()
	h = d.besieged("meanwhile", "")
	s.tell("backup", s.path("backup.tar"))
	h.leave()
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	checkRestored(t, s, before)
}

// checkRestored: the store of a backup is whole, has what was acknowledged before
// it was made, and lists by itself what it lists without its state.
func checkRestored(t *testing.T, s *site, before []string) {
	t.Helper()
	if err := os.Rename(s.path("data"), s.path("before")); err != nil {
		t.Fatal(err)
	}
	if r := s.run("restore", s.path("backup.tar")); r.code != exitDone {
		t.Fatalf("restore: %+v", r)
	}
	s.checkWhole()
	checkAllThere(t, s, before)
	offline := records[admin.Listing](s, "listings")
	d := s.serve()
	checkSameList(t, offline, records[admin.Listing](s, "listings"))
	if r := s.run("lookup", "203.0.113.1"); r.code != exitDone {
		t.Errorf("what was listed before: %+v", r)
	}
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	if r := s.run("restore", s.path("backup.tar")); r.code != exitFailed ||
		!strings.Contains(r.err, "not empty") {
		t.Errorf("restore into a store: %+v", r)
	}
}

// testFlippedFiles: whichever file is damaged, check-store names it.
func testFlippedFiles(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	d := s.serve()
	d.blame("203.0.113.1")
	if code := d.stop(); code != exitDone {
		t.Fatalf("exit %d", code)
	}
	entries, err := os.ReadDir(s.path("data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() || !strings.Contains(e.Name(), ".") {
			continue
		}
		whole := s.read("data/" + e.Name())
		s.write("data/"+e.Name(), spoilt(whole))
		if r := s.run("check-store"); r.code != exitFailed || !strings.Contains(r.out, "  "+e.Name()+", ") &&
			!strings.Contains(r.out, "  "+e.Name()+": ") {
			t.Errorf("%s: %+v", e.Name(), r)
		}
		s.write("data/"+e.Name(), whole)
	}
	s.checkWhole()
}

// spoilt is a file in which some words have another first letter, wherever they
// stand: pages that are no longer used may have them too.
func spoilt(file string) string {
	damaged := strings.NewReplacer("traps.example", "xraps.example", "fresh_weight", "xresh_weight").Replace(file)
	if damaged == file {
		damaged = file[:len(file)/2] + string([]byte{file[len(file)/2] ^ 0x20}) + file[len(file)/2+1:]
	}
	return damaged
}

func (s *site) write(name, content string) {
	s.Helper()
	if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
}
