package zone

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

func rollback(serial uint32) criteria.Decision {
	return criteria.Decision{Act: criteria.ActRollback, Serial: serial}
}

func TestOrders(t *testing.T) {
	retire := criteria.Decision{Act: criteria.ActRetire}
	resume := criteria.Decision{Act: criteria.ActResume}
	for _, c := range []struct {
		name   string
		ledger []criteria.Decision
		act    criteria.Act
		serial uint32
	}{
		{name: "nothing decided"},
		{name: "what is none of the zone's", ledger: []criteria.Decision{{Act: criteria.ActList},
			{Act: criteria.ActForce}}},
		{"rolled back", []criteria.Decision{rollback(7)}, criteria.ActRollback, 7},
		{"further", []criteria.Decision{rollback(7), rollback(5)}, criteria.ActRollback, 5},
		{name: "resumed", ledger: []criteria.Decision{rollback(7), resume}},
		{"retired", []criteria.Decision{rollback(7), retire}, criteria.ActRetire, 0},
		{name: "retired and resumed", ledger: []criteria.Decision{retire, resume}},
		{"and back", []criteria.Decision{retire, resume, rollback(9)}, criteria.ActRollback, 9},
		{"retired by name", []criteria.Decision{named(retire, "bl.example")}, criteria.ActRetire, 0},
		{"by the same name", []criteria.Decision{named(retire, "BL.Example")}, criteria.ActRetire, 0},
		{name: "another zone is retired", ledger: []criteria.Decision{named(retire, "bl2.example")}},
		{name: "another zone is rolled back", ledger: []criteria.Decision{named(rollback(7), "bl2.example")}},
		{"and another one resumed", []criteria.Decision{named(retire, "bl.example"),
			named(resume, "bl2.example")}, criteria.ActRetire, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o Orders
			for i, d := range c.ledger {
				d.Seq = uint64(i + 1)
				o.Heed(d, "bl.example")
			}
			got := o.Order()
			if got.Act() != c.act || got.serial() != c.serial || o.Read() != uint64(len(c.ledger)) {
				t.Errorf("order %+v, read %d", got, o.Read())
			}
		})
	}
}

func named(d criteria.Decision, origin string) criteria.Decision {
	d.Name = origin
	return d
}

// back is an order to roll back to a serial, with what was delisted, and when.
func back(serial uint32, ledger ...criteria.Decision) Order {
	var o Orders
	for _, d := range append(ledger, rollback(serial)) {
		o.Heed(d, "bl.example")
	}
	return o.Order()
}

func delist(network string, at criteria.Second) criteria.Decision {
	return criteria.Decision{Act: criteria.ActDelist, Network: prefix(network), At: at}
}

func prefix(s string) netip.Prefix { return network(s) }

func (s *site) under(o Order, list []criteria.Listing, excepted ...string) Result {
	s.Helper()
	r, err := s.Publish(of(Snapshot{Listings: list, Exceptions: except(excepted...), Order: o}))
	if err != nil {
		s.Fatal(err)
	}
	s.isWhole()
	return r
}

// TestRollback follows a zone through a bad list, back, and on.
func TestRollback(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Guard = Guard{MaxChange: 0.1, Floor: 5} })
	good := s.publish(many(0, 20)).Serial
	bad := many(10, 500)
	s.clock = s.clock.Add(time.Minute)
	if _, err := s.Force(of(Snapshot{Listings: bad})); err != nil {
		t.Fatal(err)
	}
	s.clock = s.clock.Add(time.Minute)
	target, err := s.Target(Order{}, 0)
	if err != nil || target != good {
		t.Fatalf("Target = %d, %v, want %d", target, err, good)
	}
	r := s.under(back(target), bad)
	same(t, "networks", s.networks(), networks(many(0, 20)))
	if r.Serial <= good || r.Published != criteria.At(s.clock) || r.Held != (Held{}) {
		t.Errorf("rolled back: %+v, want a new serial and nothing held", r)
	}
	s.clock = s.clock.Add(time.Minute)
	if r := s.under(back(target), many(10, 900)); !r.Unchanged {
		t.Errorf("the list moves: %+v, want the zone to stay", r)
	}
	s.restart(s.cfg)
	if r := s.under(back(target), many(10, 900)); !r.Unchanged {
		t.Errorf("after a restart: %+v, want the zone to stay", r)
	}
	s.clock = s.clock.Add(12 * time.Hour)
	if r := s.under(back(target), many(10, 900)); r.Unchanged {
		t.Error("its stamp is not refreshed: mirrors will fall silent")
	}
	r = s.under(Order{}, many(0, 120)) // resumed: the guard looks again
	if r.Entries != 25 || r.Held.Additions != 95 {
		t.Errorf("resumed: %+v, want 5 more and 95 held", r)
	}
}

// TestRollbackLeavesOut: an old zone brings nobody back whom something has freed since.
func TestRollbackLeavesOut(t *testing.T) {
	ending := many(0, 4)
	ending[3].Until = noon + 2*3600
	longer := many(3, 1)
	longer[0].Until = noon + 10*3600
	for _, c := range []struct {
		name     string
		delists  []criteria.Decision
		excepted []string
		list     []criteria.Listing // as it is
		after    time.Duration
		want     []string
	}{
		{name: "nothing happened", want: []string{"20.0.0.0", "20.0.0.1", "20.0.0.2", "20.0.0.3"}},
		{name: "excepted since", excepted: []string{"20.0.0.1"},
			want: []string{"20.0.0.0", "20.0.0.2", "20.0.0.3"}},
		{name: "delisted since", delists: []criteria.Decision{delist("20.0.0.1", noon+1)},
			want: []string{"20.0.0.0", "20.0.0.2", "20.0.0.3"}},
		{name: "delisted in the second of its publication",
			delists: []criteria.Decision{delist("20.0.0.0/24", noon)}},
		{name: "delisted at any time before", delists: []criteria.Decision{delist("20.0.0.1", noon-1)},
			want: []string{"20.0.0.0", "20.0.0.2", "20.0.0.3"}},
		{name: "a wider network delisted", delists: []criteria.Decision{delist("20.0.0.2/31", noon+1)},
			want: []string{"20.0.0.0", "20.0.0.1"}},
		{name: "delisted, and a network around it listed anew", list: spam("20.0.0.0/24"),
			delists: []criteria.Decision{delist("20.0.0.1", noon+1)},
			want:    []string{"20.0.0.0", "20.0.0.2", "20.0.0.3"}},
		{name: "delisted since, and listed anew", list: many(1, 1),
			delists: []criteria.Decision{delist("20.0.0.1", noon+1)},
			want:    []string{"20.0.0.0", "20.0.0.1", "20.0.0.2", "20.0.0.3"}},
		{name: "a second before an end as published", after: 2*time.Hour - time.Second,
			want: []string{"20.0.0.0", "20.0.0.1", "20.0.0.2", "20.0.0.3"}},
		{name: "an end as published", after: 2 * time.Hour,
			want: []string{"20.0.0.0", "20.0.0.1", "20.0.0.2"}},
		{name: "an end as published, but the list has more of it", after: 2 * time.Hour, list: longer,
			want: []string{"20.0.0.0", "20.0.0.1", "20.0.0.2", "20.0.0.3"}},
		{name: "and its end there", after: 10 * time.Hour, list: longer,
			want: []string{"20.0.0.0", "20.0.0.1", "20.0.0.2"}},
		{name: "what is only in the list as it is", list: many(50, 9),
			want: []string{"20.0.0.0", "20.0.0.1", "20.0.0.2", "20.0.0.3"}},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				s := newSite(t)
				first := s.publish(ending).Serial
				s.publish(many(100, 30))
				if restart {
					s.restart(s.cfg)
				}
				s.clock = s.clock.Add(c.after)
				s.under(back(first, c.delists...), c.list, c.excepted...)
				same(t, "networks", s.networks(), c.want)
			})
		}
	}
}

// TestRollbackNeverListsTheDelisted: neither a delisting while the old zone was on its way, nor a
// serial ahead of the clock in a zone without a stamp, brings anybody back.
func TestRollbackNeverListsTheDelisted(t *testing.T) {
	for _, c := range []struct {
		name     string
		validFor time.Duration
		taking   time.Duration // what a publication takes, from its list to its stamp
		builds   int
	}{
		{"delisted while it was rendered", 48 * time.Hour, 2 * time.Second, 1},
		{"without a stamp, its serial ahead of the clock", 0, 0, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, func(g *Config) { g.Header.ValidFor = c.validFor })
			at := criteria.At(s.clock)
			for i := range c.builds {
				list := append(spam("20.0.0.1", "20.0.0.2"), many(100, i)...)
				if _, err := s.Publish(func() (Snapshot, error) {
					s.clock = s.clock.Add(c.taking)
					return Snapshot{Listings: list, At: at}, nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			d := delist("20.0.0.1", at+1)
			target := s.State().Serial
			s.clock = s.clock.Add(time.Minute)
			s.publish(spam("20.0.0.2"))
			s.under(back(target, d), spam("20.0.0.2"))
			if got := s.networks(); slices.Contains(got, "20.0.0.1") || !slices.Contains(got, "20.0.0.2") {
				t.Errorf("networks %v", got)
			}
		})
	}
}

// TestRollbackOfTheDelisted: who was ever delisted and is listed now has the answer and the end of
// now, not those of the old zone.
func TestRollbackOfTheDelisted(t *testing.T) {
	then, now := listed("20.0.0.0/24", criteria.Operator), listed("20.0.0.0/24", criteria.Network)
	then.Until, now.Until = criteria.Never, noon+2*3600
	s := newSite(t)
	first := s.publish([]criteria.Listing{then}).Serial
	s.publish(nil)
	order := back(first, delist("20.0.0.0/24", noon))
	s.under(order, []criteria.Listing{now})
	list := s.List()
	if len(list) != 1 || list[0].Answer != criteria.Network || list[0].Until != now.Until {
		t.Errorf("listed %+v, want it as now", list)
	}
	s.clock = s.clock.Add(2 * time.Hour)
	s.under(order, nil)
	same(t, "networks", s.networks(), []string(nil))
}

// TestRollbackKeepsItsGeneration: what stands is not pruned, however many publications come.
func TestRollbackKeepsItsGeneration(t *testing.T) {
	s := newSite(t)
	first := s.publish(many(0, 20)).Serial
	s.publish(many(100, 30))
	for i := range 9 {
		s.clock = s.clock.Add(time.Minute)
		s.under(back(first), nil, many(0, i+1)[i].Source.Addr().String())
	}
	kept, err := s.generations()
	if err != nil || !slices.Contains(kept, first) {
		t.Errorf("kept %v, %v, want %d among them", kept, err, first)
	}
}

func TestRollbackTarget(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Keep = 5 })
	var serials []uint32
	for i := range 4 {
		s.clock = s.clock.Add(time.Minute)
		serials = append(serials, s.publish(many(0, i+1)).Serial)
	}
	damaged := s.generationOf(serials[1]) + "/bl.example"
	mustRemove(t, damaged) // a hard link of ours alone
	mustWrite(t, damaged)
	for _, c := range []struct {
		name  string
		order Order
		named uint32
		want  uint32 // 0: none
	}{
		{"the one before", Order{}, 0, serials[2]},
		{"before the one that stands again, if it is whole", back(serials[2]), 0, serials[0]},
		{"none before it", back(serials[0]), 0, 0},
		{"named", Order{}, serials[0], serials[0]},
		{"the zone as it is", Order{}, serials[3], serials[3]},
		{"not whole", Order{}, serials[1], 0},
		{"never published", Order{}, 7, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.restart(s.cfg)
			got, err := s.Target(c.order, c.named)
			if (err == nil) != (c.want > 0) || err == nil && got != c.want {
				t.Errorf("Target = %d, %v, want %d", got, err, c.want)
			}
		})
	}
	all, err := s.Generations(Snapshot{})
	if err != nil || len(all) != 4 {
		t.Fatalf("Generations = %+v, %v", all, err)
	}
	for i, want := range []struct{ entries, removed, faults int }{{4, 0, 0}, {3, 1, 0}, {0, 0, 4}, {1, 3, 0}} {
		g := all[i]
		if g.Serial != serials[3-i] || len(g.Difference.Removed) != want.removed ||
			g.Entries != want.entries || (len(g.Faults) > 0) != (want.faults > 0) {
			t.Errorf("generation %d: %+v", i, g)
		}
	}
}

// TestRollbackToWhatIsGone: without the generation the zone stays as it is, and the error names it.
func TestRollbackToWhatIsGone(t *testing.T) {
	s := newSite(t)
	first := s.publish(many(0, 20)).Serial
	s.publish(many(100, 30))
	s.lose(s.cfg.StateDir)
	before := s.files()
	if _, err := s.Publish(of(Snapshot{Order: back(first)})); err == nil {
		t.Error("no error")
	}
	same(t, "files", s.files(), before)
}

// TestRetire: the zone goes on being published, with its test entries alone.
func TestRetire(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Guard = Guard{Floor: 5} })
	s.publish(many(0, 20))
	retired := Order{Decision: criteria.Decision{Act: criteria.ActRetire}}
	s.clock = s.clock.Add(time.Minute)
	r := s.under(retired, many(0, 30))
	if r.Entries != 0 || r.Removed != 20 || r.Held != (Held{}) {
		t.Errorf("retired: %+v", r)
	}
	z, err := Parse([]byte(s.read("bl.example")))
	if err != nil || !z.Header.Retired || z.Header.Text != retiredText || len(z.Listings) > 0 {
		t.Errorf("the zone: %+v, %v", z, err)
	}
	golden(t, "retired.zone", []byte(s.read("bl.example")))
	golden(t, "retired.txt", []byte(s.read("bl.example.txt")))
	golden(t, "retired.json", []byte(s.read("bl.example.json")))
	s.restart(s.cfg)
	if r := s.under(retired, many(0, 30)); !r.Unchanged {
		t.Errorf("after a restart: %+v", r)
	}
	s.clock = s.clock.Add(12 * time.Hour)
	if r := s.under(retired, many(0, 30)); r.Unchanged {
		t.Error("its stamp is not refreshed")
	}
	r = s.under(Order{}, many(0, 30))
	if r.Entries != 5 || r.Held.Additions != 25 {
		t.Errorf("resumed: %+v, want the guard to look", r)
	}
}

// TestRetireOnABrokenDisk: whatever fails, the zone is the old one or the empty one.
func TestRetireOnABrokenDisk(t *testing.T) {
	retired := Order{Decision: criteria.Decision{Act: criteria.ActRetire}}
	old := many(0, 20)
	for at := 1; at <= callsOf(t, old, nil); at++ {
		s := newSite(t, func(c *Config) { c.Keep = 1 })
		s.publish(old)
		s.clock = s.clock.Add(time.Minute)
		s.Publisher.disk = &brokenDisk{disk: osDisk{}, at: at}
		if _, err := s.Publish(of(Snapshot{Listings: old, Order: retired})); err == nil {
			t.Fatalf("call %d: no error", at)
		}
		z, err := Parse([]byte(s.read("bl.example")))
		if n := len(z.Listings); err != nil || n != 20 && n != 0 {
			t.Errorf("call %d: %d entries, %v", at, n, err)
		}
		s.Publisher.disk = osDisk{}
		s.under(retired, old)
		same(t, "networks", s.networks(), []string(nil))
	}
}

// TestStateTellsTheOrder: whichever call of a publication fails, and over a restart, an order is
// said to be carried out only where the zone does.
func TestStateTellsTheOrder(t *testing.T) {
	old := many(0, 20)
	rolledBack := func(serial uint32) Order {
		d := rollback(serial)
		d.Seq = 3
		return Order{Decision: d}
	}
	retired := Order{Decision: criteria.Decision{Act: criteria.ActRetire, Seq: 7}}
	resumed := Order{Decision: criteria.Decision{Act: criteria.ActResume, Seq: 9}}
	told := 0
	for at := 1; at <= callsOf(t, old, nil); at++ {
		s := newSite(t, func(c *Config) { c.Keep = 1 })
		first := s.publish(old).Serial
		s.clock = s.clock.Add(time.Minute)
		s.under(rolledBack(first), old)
		s.tells(3)
		s.clock = s.clock.Add(time.Minute)
		s.Publisher.disk = &brokenDisk{disk: osDisk{}, at: at}
		if _, err := s.Publish(of(Snapshot{Order: retired})); err == nil {
			t.Fatalf("call %d: no error", at)
		}
		z, err := Parse([]byte(s.read("bl.example")))
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range []bool{false, true} {
			if again {
				s.restart(s.cfg)
			}
			if err := s.Load(); err != nil {
				t.Fatal(err)
			}
			switch got := s.State().Order; {
			case got == 7 && !z.Header.Retired, got != 7 && got != 3:
				t.Errorf("call %d, restarted %v: order %d, retired %v", at, again, got, z.Header.Retired)
			case got == 3:
				told++
			}
		}
		s.under(retired, old)
		s.tells(7)
		s.under(resumed, old)
		s.tells(9)
	}
	if told == 0 {
		t.Error("no failure was told")
	}
}

// tells checks the order that the zone is said to carry out, now and after a restart.
func (s *site) tells(want uint64) {
	s.Helper()
	for range 2 {
		if err := s.Load(); err != nil {
			s.Fatal(err)
		}
		if got := s.State().Order; got != want {
			s.Errorf("the zone carries out order %d, want %d", got, want)
		}
		s.restart(s.cfg)
	}
}

// TestGenerationsReachBack: those kept are minutes, hours and days old, not the last few alone.
func TestGenerationsReachBack(t *testing.T) {
	const day = 24 * 3600
	most := map[int]uint32{5: 100, 8: 15} // times as old as the next one
	for _, keep := range []int{1, 2, 3, 5, 8} {
		var kept []uint32
		for now := uint32(1_800_000_000); now < 1_800_000_000+20*day; now += 60 {
			kept = slices.Insert(kept, 0, now)
			for len(kept) > keep {
				i := spare(kept, 0)
				kept = slices.Delete(kept, i, i+1)
			}
			if len(kept) > 1 && kept[0]-kept[1] != 60 {
				t.Fatalf("keep %d: the one before is gone: %v", keep, kept)
			}
			if kept[0]-kept[len(kept)-1] > oldest {
				t.Fatalf("keep %d: older than a week: %v", keep, kept)
			}
			for i := 2; i < len(kept) && most[keep] > 0; i++ {
				if older, age := kept[0]-kept[i], kept[0]-kept[i-1]; older > most[keep]*age {
					t.Fatalf("keep %d: none between %d and %d seconds old", keep, age, older)
				}
			}
		}
		if len(kept) != keep {
			t.Errorf("keep %d: %d are kept", keep, len(kept))
		}
	}
}

func TestSpareSparesThePinned(t *testing.T) {
	serials := []uint32{100, 90, 80, 70}
	for pinned, want := range map[uint32]int{0: 2, 80: 3, 70: 2, 90: 2} {
		if got := spare(serials, pinned); got != want {
			t.Errorf("pinned %d: spare %d, want %d", pinned, got, want)
		}
	}
	if got := spare([]uint32{2_000_000, 90, 80, 70}, 70); got != 2 {
		t.Errorf("an old one that is pinned: %d goes", got)
	}
	if got := spare([]uint32{20, 10}, 10); got != -1 {
		t.Errorf("of two: %d goes", got)
	}
}
