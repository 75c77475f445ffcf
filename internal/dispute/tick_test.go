package dispute

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

// readings of hits whose source is still the same, another, none, and which prove nothing.
var (
	same    = Reading{true, netip.MustParseAddr(ours)}
	another = Reading{true, netip.MustParseAddr(elsewhere)}
	nobody  = Reading{true, netip.Addr{}}
	nothing = Reading{}
)

func TestReread(t *testing.T) {
	for _, c := range []struct {
		name     string
		readings map[uint64]Reading
		hits     []uint64
		state    State
		wrong    []uint64
		read     int
		acts     string
	}{
		{"all right", map[uint64]Reading{1: same, 2: same, 3: same}, []uint64{1, 2, 3},
			Open, []uint64{}, 3, "opened reread"},
		{"nothing is proven", nil, []uint64{1, 2, 3}, Open, []uint64{}, 0, "opened reread"},
		{"one is wrong, and two are enough", map[uint64]Reading{1: same, 2: another, 3: nothing},
			[]uint64{1, 2, 3}, Open, []uint64{2}, 2, "opened uncount reread"},
		{"two are wrong", map[uint64]Reading{1: another, 2: nobody, 3: same}, []uint64{1, 2, 3},
			Accepted, []uint64{2, 1}, 3, "opened uncount reread accepted"},
		{"others count in their place", map[uint64]Reading{1: another, 2: same, 3: another, 4: another, 5: nobody},
			[]uint64{1, 2, 3, 4, 5}, Accepted, []uint64{5, 4, 3, 1}, 5, "opened uncount uncount reread accepted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			court := newCourt(t)
			court.readings, court.hits[unit(ours)] = c.readings, c.hits
			id := court.file(filled(ours, ours)).ID
			for range 2 { // once is enough
				court.tick()
			}
			k := court.find(id)
			if k.State != c.state || court.acts() != c.acts || k.Reread == nil || k.Reread.Read != c.read {
				t.Fatalf("%s, %q, %+v", k.State, court.acts(), k.Reread)
			}
			if diff := cmp.Diff(c.wrong, k.Reread.Wrong); diff != "" {
				t.Error(diff)
			}
			if p := k.Public(); !p.Reread || p.Wrong != len(c.wrong) {
				t.Errorf("the page says %+v", p)
			}
			court.sameAfterRestart()
		})
	}
}

// A mistake of the parser within one /64 leaves the same listing.
func TestRereadWithinTheUnit(t *testing.T) {
	c := newCourt(t)
	neighbour := Reading{true, netip.MustParseAddr("2001:db8:1:2::99")}
	c.readings = map[uint64]Reading{4: neighbour, 5: neighbour}
	id := c.file(filled(six, six)).ID
	c.tick()
	c.want(id, Open)
}

// What fails is tried again, also after a stop in the middle.
func TestRereadAgain(t *testing.T) {
	c := newCourt(t)
	c.readings = map[uint64]Reading{1: another, 2: another, 3: another}
	id := c.file(filled(ours, ours)).ID
	c.unread = errors.New("damaged")
	if err := c.Tick(t.Context()); !errors.Is(err, c.unread) {
		t.Errorf("got %v", err)
	}
	c.want(id, Open)
	c.unread = nil
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Tick(gone); err != nil || c.acts() != "opened" {
		t.Errorf("%v, %s", err, c.acts())
	}
	// The hits are un-counted, and the power goes before the rest is written.
	if err := c.uncount(t.Context(), c.find(id), []uint64{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	c.restart()
	c.tick()
	c.want(id, Accepted)
	if k := c.find(id); len(k.Reread.Wrong) != 3 || k.By != rereading {
		t.Errorf("%+v", k)
	}
}

// What a list does not answer is tried again.
func TestListIsSilent(t *testing.T) {
	c := newCourt(t)
	c.readings = map[uint64]Reading{1: another, 2: another, 3: another}
	id := c.file(filled(ours, ours)).ID
	c.silent = errors.New("damaged")
	if err := c.Tick(t.Context()); !errors.Is(err, c.silent) {
		t.Errorf("got %v", err)
	}
	c.want(id, Open)
	c.silent = nil
	c.tick()
	c.want(id, Accepted)
}

func TestClock(t *testing.T) {
	c := newCourt(t)
	id := c.file(filled(ours, ours)).ID
	due := func(answer, decision int) {
		t.Helper()
		if s := c.Standing(); s.AnswerOverdue != answer || s.DecisionOverdue != decision || s.Open != 1 {
			t.Errorf("after %s: %+v", c.time().Sub(start), s)
		}
		c.tick() // lateness changes nothing
		c.sameAfterRestart()
	}
	c.forward(AnswerWithin - time.Second)
	due(0, 0)
	c.forward(time.Second)
	due(1, 0)
	if _, err := c.Answer(t.Context(), "uid 0", id, "we look at it"); err != nil {
		t.Fatal(err)
	}
	due(0, 0)
	c.forward(DecisionWithin - AnswerWithin)
	due(0, 1)
	k := c.find(id)
	if p := k.Public(); p.Answer != "we look at it" || p.DecisionDue.Time() != start.Add(DecisionWithin) {
		t.Errorf("the page says %+v", p)
	}
	if _, err := c.Reject(t.Context(), "uid 0", id, "no"); err != nil {
		t.Fatal(err)
	}
	if s := c.Standing(); s != (Standing{}) {
		t.Errorf("after the end: %+v", s)
	}
}

// The canary: what a requester writes is kept for the operator, and only as long as it
// takes.
func TestPrivate(t *testing.T) {
	const canary = "c4n4ry"
	c := newCourt(t)
	c.self = true
	f := filled(ours, "203.0.113.201")
	f.Statement, f.Relation, f.Contact = "s"+canary, "r"+canary, canary+"@victim.example"
	k := c.file(f)
	c.publish(k.ID)
	if _, err := c.Prove(t.Context(), k.ID, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	c.tick()
	if _, err := c.Answer(t.Context(), "uid 0", k.ID, "soon"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Accept(t.Context(), "uid 0", k.ID, "yes", Remedy{}); err != nil {
		t.Fatal(err)
	}
	k = c.find(k.ID)
	ledger, errLedger := json.Marshal(c.decisions)
	page, errPage := json.Marshal(k.Public())
	if errLedger != nil || errPage != nil {
		t.Fatal(errLedger, errPage)
	}
	for where, text := range map[string]string{"ledger": string(ledger), "page": string(page),
		"log": strings.Join(c.told, "\n")} {
		if strings.Contains(text, canary) || strings.Contains(text, "203.0.113") {
			t.Errorf("the %s has it: %s", where, text)
		}
	}
	if k.Private == nil || k.Private.Contact != f.Contact || k.Private.Network.String() != "203.0.113.0/24" {
		t.Errorf("the operator gets %+v", k.Private)
	}
	c.forward(Remember - time.Second)
	c.tick()
	if c.find(k.ID).Private == nil || c.onDisk() != 1 {
		t.Error("it is forgotten too soon")
	}
	c.forward(time.Second)
	c.tick()
	if k := c.find(k.ID); k.Private != nil || c.onDisk() != 0 || k.State != Accepted {
		t.Errorf("it is still there: %+v, %d files", k.Private, c.onDisk())
	}
	c.sameAfterRestart()
}

// onDisk is how many files there are of what is private.
func (c *court) onDisk() int {
	c.Helper()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		c.Fatal(err)
	}
	return len(entries)
}

func TestUnprovenIsForgotten(t *testing.T) {
	c := newCourt(t)
	k := c.file(filled(ours, elsewhere))
	info, err := os.Stat(filepath.Join(c.dir, k.ID+".json"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("its file: %v, %v", info.Mode(), err)
	}
	c.forward(Patience - time.Second)
	c.tick()
	c.want(k.ID, Filed)
	c.forward(time.Second)
	c.tick()
	if _, ok := c.Find(k.ID); ok || c.onDisk() != 0 || c.acts() != "" {
		t.Errorf("it is still there: %d files, ledger %q", c.onDisk(), c.acts())
	}
	if _, ok := c.Challenge(k.ID); ok {
		t.Error("and has a challenge")
	}
}

// Files that are none of ours, or damaged, hurt nobody.
func TestStrangeFiles(t *testing.T) {
	c := newCourt(t)
	good := c.file(filled(ours, elsewhere))
	open := c.file(filled(six, six))
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("notes.txt", "x")
	write("../up.json", "x")
	write("aaaaaaaaaaaaaaaa.json", "{")
	write("bbbbbbbbbbbbbbbb.json", `{"id":"cccccccccccccccc"}`)
	write("dddddddddddddddd.json", strings.Repeat(" ", mostForm+1))
	write(open.ID+".json", "damaged")
	c.told = nil
	c.restart()
	if len(c.told) != 4 || len(c.Cases()) != 2 {
		t.Errorf("told %q, %d disputes", c.told, len(c.Cases()))
	}
	for _, line := range c.told {
		if !strings.Contains(line, "remove it") {
			t.Errorf("no mend: %s", line)
		}
	}
	c.want(good.ID, Filed)
	c.want(open.ID, Open)
}

func TestPublicTimes(t *testing.T) {
	at := func(s string) criteria.Second {
		parsed, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return criteria.At(parsed)
	}
	k := Case{Filed: at("2026-11-24T09:59:59Z"), Opened: at("2026-11-24T10:00:00Z"),
		AnswerDue: at("2026-11-26T10:00:01Z"), DecisionDue: at("2026-12-01T10:00:00Z")}
	p := k.Public()
	for _, c := range []struct {
		got  criteria.Second
		want string
	}{{p.Filed, "2026-11-24T09:00:00Z"}, {p.Opened, "2026-11-24T10:00:00Z"},
		{p.AnswerDue, "2026-11-26T11:00:00Z"}, {p.DecisionDue, "2026-12-01T10:00:00Z"}} {
		if c.got.String() != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
	if p.Ended != 0 {
		t.Errorf("it ended %s", p.Ended)
	}
}

// Serve does at once what an opening brings, and each minute what time does.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t)
		c.dir = dir
		c.restart()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			c.Serve(ctx)
			close(done)
		}()
		id := c.file(filled(ours, ours)).ID
		synctest.Wait()
		if c.acts() != "opened reread" {
			t.Errorf("at once: %q", c.acts())
		}
		c.mu.Lock()
		c.ended[unit(ours)] = true
		c.mu.Unlock()
		<-time.After(tickEvery)
		synctest.Wait()
		c.want(id, Moot)
		cancel()
		<-done
	})
}
