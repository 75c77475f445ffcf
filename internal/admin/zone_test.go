package admin

import (
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/zone"
)

const ourZone = "bl.traps.example"

// zoneOffice is an office with the desk of its zone, in a folder that can be broken.
type zoneOffice struct {
	*office
	zone   *ZoneDesk
	folder string
}

func newZoneOffice(t *testing.T) *zoneOffice {
	t.Helper()
	o := newOffice(t)
	z := &zoneOffice{office: o, folder: filepath.Join(o.dir, "zone")}
	z.open(ourZone)
	return z
}

// open begins with the zone of a name, as a daemon does that starts.
func (z *zoneOffice) open(origin string) {
	z.Helper()
	p, err := zone.New(zone.Config{Dir: z.folder, StateDir: z.folder + ".state", Keep: 5,
		Header: zone.Header{Origin: origin, NS: []string{"mx.traps.example"},
			Contact: "hostmaster.traps.example", TTL: time.Minute, Text: "Listed", ValidFor: time.Hour},
		Guard: zone.Guard{Floor: 3}, Now: z.now, Explained: z.Judge.Explains,
		Special: func(netip.Addr) bool { return false }})
	if err != nil {
		z.Fatal(err)
	}
	if err := p.Load(); err != nil {
		z.Fatal(err)
	}
	z.zone = &ZoneDesk{Store: z.Store, Publisher: p, Origin: origin, Report: func(zone.Result, error) {},
		List: func() (zone.Snapshot, error) {
			l, err := z.Judge.Listings()
			return zone.Snapshot{Listings: l.Listings, Exceptions: l.Exceptions, At: l.At}, err
		}}
}

func (z *zoneOffice) build(force bool) Built {
	z.Helper()
	z.seconds.Add(1)
	b, err := z.zone.Build(z.Context(), "tester", BuildOrder{Force: force})
	if err != nil {
		z.Fatal(err)
	}
	return b
}

// order has an order about the zone carried out, or tried.
func (z *zoneOffice) order(act criteria.Act, origin string) error {
	z.seconds.Add(1)
	_, err := z.zone.Order(z.Context(), "tester", OrderOfZone{Act: act, Reason: "r", Origin: origin})
	return err
}

// jam lets no publication succeed until what it gives is called.
func (z *zoneOffice) jam() (mend func()) {
	z.Helper()
	aside := z.folder + ".aside"
	must := func(err error) {
		if err != nil {
			z.Fatal(err)
		}
	}
	must(os.Rename(z.folder, aside))
	must(os.WriteFile(z.folder, nil, 0o600))
	return func() { must(errors.Join(os.Remove(z.folder), os.Rename(aside, z.folder))) }
}

func (z *zoneOffice) says(want string) {
	z.Helper()
	got := "the list stands"
	if o := z.zone.State().Order; o != nil {
		got = o.String()
	}
	if !strings.HasPrefix(got, want) {
		z.Errorf("the zone is %q, want %q", got, want)
	}
}

// TestZoneOrderNotPublished: an order is said to be carried out once the zone says so, not before.
func TestZoneOrderNotPublished(t *testing.T) {
	z := newZoneOffice(t)
	z.build(false)
	z.blame("198.51.100.7")
	z.build(false)
	for _, c := range []struct {
		act              criteria.Act
		ordered, carried string
		entries, after   int // before it is published, and then
	}{
		{criteria.ActRollback, "ordered back to serial ", "rolled back to serial ", 1, 0},
		{criteria.ActResume, "ordered to follow the list again", "the list stands", 0, 1},
		{criteria.ActRetire, "ordered to be retired", "retired for good", 1, 0},
		{criteria.ActResume, "ordered to follow the list again", "the list stands", 0, 1},
	} {
		mend := z.jam()
		if err := z.order(c.act, ourZone); err == nil {
			t.Fatalf("%s: no error", c.act)
		}
		z.says(c.ordered)
		if n := z.zone.State().Entries; n != c.entries {
			t.Errorf("%s: %d entries before it is published, want %d", c.act, n, c.entries)
		}
		mend()
		z.open(ourZone)
		z.says(c.ordered)
		if _, err := z.zone.Publisher.Publish(z.zone.Snapshot); err != nil {
			t.Fatal(err)
		}
		z.says(c.carried)
		z.open(ourZone)
		z.says(c.carried)
		if n := z.zone.State().Entries; n != c.after {
			t.Errorf("%s: %d entries, want %d", c.act, n, c.after)
		}
	}
}

// TestZoneOrderOfAnotherName: an order is of the zone that it was given for.
func TestZoneOrderOfAnotherName(t *testing.T) {
	z := newZoneOffice(t)
	z.blame("198.51.100.7")
	z.build(false)
	if err := z.order(criteria.ActRetire, ourZone); err != nil {
		t.Fatal(err)
	}
	z.open("bl2.traps.example")
	z.says("the list stands")
	if b := z.build(false); b.Entries != 1 {
		t.Errorf("the other zone: %+v", b)
	}
	if err := z.order(criteria.ActResume, "bl2.traps.example"); !IsNone(err) {
		t.Errorf("resumed what is not retired: %v", err)
	}
	if err := z.order(criteria.ActRetire, "bl2.traps.example"); err != nil {
		t.Fatal(err)
	}
	if err := z.order(criteria.ActResume, "bl2.traps.example"); err != nil {
		t.Fatal(err)
	}
	z.says("the list stands")
	z.open(ourZone)
	if _, err := z.zone.Publisher.Publish(z.zone.Snapshot); err != nil {
		t.Fatal(err)
	}
	z.says("retired for good")
}

// TestZoneForce says what was held back, and that nothing was.
func TestZoneForce(t *testing.T) {
	z := newZoneOffice(t)
	z.build(false)
	for _, a := range []string{"198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"} {
		z.blame(a)
	}
	if b := z.build(false); b.Held.Additions != 1 || b.Forced != (zone.Held{}) {
		t.Errorf("not forced: %+v", b)
	}
	if b := z.build(true); b.Entries != 4 || b.Forced != (zone.Held{Additions: 1}) {
		t.Errorf("forced: %+v", b)
	}
	if b := z.build(true); b.Forced != (zone.Held{}) {
		t.Errorf("nothing to force: %+v", b)
	}
}

// TestZoneMisuse: what lacks a word is wrong use, with or without a daemon.
func TestZoneMisuse(t *testing.T) {
	z := newZoneOffice(t)
	z.build(false)
	for _, act := range []criteria.Act{criteria.ActRetire, criteria.ActResume} {
		if err := z.order(act, ""); !IsMisuse(err) {
			t.Errorf("%s without the zone's name: %v", act, err)
		}
		if err := z.order(act, ourZone); err != nil {
			t.Errorf("%s: %v", act, err)
		}
	}
	if IsMisuse(nil) || IsMisuse(&ProblemError{Status: http.StatusConflict}) {
		t.Error("IsMisuse is wrong")
	}
}
