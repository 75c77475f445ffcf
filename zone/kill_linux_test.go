package zone

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/testpeer"
)

// childOf is the environment variable that makes a test the process that is killed, or that has a
// file system of its own: it names the folder to work in.
const childOf = "TRAPLINE_ZONE_CHILD"

// child is a command that runs one test of this program in a folder.
func child(test, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), childOf+"="+dir)
	return cmd
}

// seesaw are the two lists that the killed process publishes in turn.
var seesaw = [...][]criteria.Listing{lasting(3000), lasting(2000)}

// TestPublishUntilKilled is the process of TestPublishKilled.
func TestPublishUntilKilled(t *testing.T) {
	dir := os.Getenv(childOf)
	if dir == "" {
		t.Skip("is run by TestPublishKilled")
	}
	s := openSite(t, dir)
	for i := 0; ; i++ {
		s.clock = s.clock.Add(time.Second)
		if _, err := s.Force(of(Snapshot{Listings: seesaw[i%2]})); err != nil {
			t.Fatal(err)
		}
	}
}

// openSite is a publisher on a folder that is there already.
func openSite(t *testing.T, base string) *site {
	s := &site{T: t, dir: filepath.Join(base, "zone"), clock: noon.Time()}
	s.restart(Config{Dir: s.dir, StateDir: filepath.Join(base, "zone.state"), Header: header(),
		Keep: 3, Guard: Guard{Floor: 10_000}, Now: func() time.Time { return s.clock },
		Special: special})
	return s
}

// TestPublishKilled kills a process that publishes without a pause, again and again. Whoever looks
// meanwhile, and after, pulls whole files: a zone with one list or the other; and when the sums say
// that the four belong together, they do. The next publication puts everything right.
func TestPublishKilled(t *testing.T) {
	const rounds = 12
	base := t.TempDir()
	s := openSite(t, base)
	s.publish(seesaw[0])
	m := &puller{T: t, from: s.dir, to: t.TempDir(), rsync: testpeer.Need(t, "rsync", "rsync")}
	for round := range rounds {
		cmd := child("TestPublishUntilKilled", base)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		before := s.read("bl.example")
		for s.read("bl.example") == before { // until it is at work
			m.pull()
		}
		for range rand.IntN(4) {
			m.pull()
		}
		pause := time.NewTimer(time.Duration(rand.IntN(20_000)) * time.Microsecond)
		<-pause.C
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		m.pull()
		s = openSite(t, base)
		s.publish(seesaw[round%2])
		if !m.pull() {
			t.Error("the sums do not fit after a publication that was not killed")
		}
	}
	t.Logf("%d pulls, %d of them with files of two publications", m.pulls, m.mixed)
}

// puller is a mirror.
type puller struct {
	*testing.T
	from, to, rsync string
	pulls, mixed    int
}

// pull copies the folder as mirrors do, checks each file by itself, and tells whether they belong
// together.
func (m *puller) pull() bool {
	m.Helper()
	m.pulls++
	out, err := exec.Command(m.rsync, "-rt", "--delete", m.from+"/", m.to).CombinedOutput()
	if err != nil {
		m.Fatalf("rsync: %v\n%s", err, out)
	}
	var c content
	for i, name := range namesOf("bl.example") {
		if c[i], err = os.ReadFile(filepath.Join(m.to, name)); err != nil {
			m.Fatal(err)
		}
	}
	z, err := Parse(c[2])
	if err != nil || !isOneOf(z.Listings) {
		m.Fatalf("a zone of %d entries: %v", len(z.Listings), err)
	}
	if _, list, err := parseJSON(c[1]); err != nil || !isOneOf(list) {
		m.Errorf("a .json of %d listings: %v", len(list), err)
	}
	if text := string(c[0]); text != string(RenderText(header(), seesaw[0])) &&
		text != string(RenderText(header(), seesaw[1])) {
		m.Errorf("a .txt of %d bytes that nobody wrote", len(text))
	}
	if string(c[3]) != string(sumsOf("bl.example", c)) {
		m.mixed++
		return false
	}
	faults, err := Verify(m.to, "bl.example", z.Published)
	if err != nil || len(faults) > 0 {
		m.Errorf("the sums fit, but: %v, %v", faults, err)
	}
	return true
}

func isOneOf(list []criteria.Listing) bool {
	return slices.ContainsFunc(seesaw[:], func(one []criteria.Listing) bool {
		return Diff(one, list).Empty()
	})
}

// TestPublishOnAFullDisk runs TestPublishWithoutRoom where it has a small file system to itself.
func TestPublishOnAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small file system")
	}
	cmd := child("TestPublishWithoutRoom", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("may not have a mount namespace of its own")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPublishWithoutRoom fills its file system to every level at which a publication may run out of
// room: each time the old zone stays, whole, and the first publication with room replaces it.
func TestPublishWithoutRoom(t *testing.T) {
	dir := os.Getenv(childOf)
	if dir == "" {
		t.Skip("is run by TestPublishOnAFullDisk")
	}
	const pages, page = 256, 4096
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	s := openSite(t, dir)
	s.cfg.Keep = 1
	s.restart(s.cfg)
	old, list := many(0, 500), many(300, 600)
	failed := 0
	for left := 0; left < 60; left += 3 {
		s.clock = s.clock.Add(time.Hour)
		s.publish(old)
		before := s.files()
		ballast := filepath.Join(dir, "ballast")
		filler := make([]byte, page)
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < pages && err == nil; n++ {
			_, err = f.Write(filler)
		}
		end, seek := f.Seek(0, 1)
		if err := errors.Join(seek, f.Truncate(max(0, end-int64(left)*page)), f.Close()); err != nil {
			t.Fatal(err)
		}
		s.clock = s.clock.Add(time.Minute)
		if _, err = s.Publish(of(Snapshot{Listings: list})); err != nil {
			failed++
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("with %d pages left: %v", left, err)
			}
			s.holdsWholeFiles(before, list)
		}
		mustRemove(t, ballast)
		s.publish(list)
		same(t, "networks", s.networks(), networks(list))
	}
	if failed < 3 {
		t.Errorf("the disk was full %d times", failed)
	}
	t.Logf("the disk was full %d times", failed)
}
