package zone

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

// site is a publisher with its folder and a clock that the test sets.
type site struct {
	*testing.T
	*Publisher
	dir   string
	clock time.Time
}

func newSite(t *testing.T, change ...func(*Config)) *site {
	t.Helper()
	base := t.TempDir()
	s := &site{T: t, dir: filepath.Join(base, "zone"), clock: noon.Time()}
	config := Config{
		Dir: s.dir, StateDir: filepath.Join(base, "zone.state"), Header: header(), Keep: 3,
		MinInterval: 30 * time.Second, Guard: Guard{MaxChange: 0.5, Floor: 1000},
		Now: func() time.Time { return s.clock }, Special: special,
	}
	for _, f := range change {
		f(&config)
	}
	s.restart(config)
	return s
}

func (s *site) restart(c Config) {
	s.Helper()
	p, err := New(c)
	if err != nil {
		s.Fatal(err)
	}
	s.Publisher = p
}

// publish brings a list to the folder and checks that the folder is whole.
func (s *site) publish(list []criteria.Listing) Result {
	s.Helper()
	r, err := s.Publish(of(Snapshot{Listings: list}))
	if err != nil {
		s.Fatal(err)
	}
	s.isWhole()
	return r
}

func (s *site) isWhole() {
	s.Helper()
	faults, err := Verify(s.dir, "bl.example", criteria.At(s.clock))
	if err != nil || len(faults) > 0 {
		s.Fatalf("Verify = %v, %v", faults, err)
	}
}

func (s *site) read(name string) string {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.Fatal(err)
	}
	return string(data)
}

func (s *site) modified() time.Time {
	s.Helper()
	var times []time.Time
	for _, name := range namesOf("bl.example") {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil {
			s.Fatal(err)
		}
		times = append(times, info.ModTime())
		if !info.ModTime().Equal(times[0]) {
			s.Errorf("%s was modified %s, the first %s", name, info.ModTime(), times[0])
		}
	}
	return times[0]
}

func (s *site) networks() []string {
	s.Helper()
	z, err := Parse([]byte(s.read("bl.example")))
	if err != nil {
		s.Fatal(err)
	}
	return networks(z.Listings)
}

func TestPublish(t *testing.T) {
	s := newSite(t)
	r := s.publish(sample())
	same(t, "result", r, Result{Serial: uint32(noon), Published: noon, Entries: 10, Added: 10})
	same(t, "zone", s.read("bl.example"), string(Render(header(), sample(), uint32(noon), noon)))
	if got := s.modified(); !got.Equal(s.clock) {
		t.Errorf("modified %s, want %s", got, s.clock)
	}
	s.clock = s.clock.Add(time.Minute)
	r = s.publish(append(sample(), spam("9.9.9.9")...)[1:])
	same(t, "result", r, Result{Serial: uint32(noon) + 60, Published: noon + 60,
		Entries: 10, Added: 1, Removed: 1})
}

// TestPublishLeavesOnlyItsFiles: what is on its way, or kept, is not for rsync to serve.
func TestPublishLeavesOnlyItsFiles(t *testing.T) {
	s := newSite(t)
	for i := range 5 {
		s.clock = s.clock.Add(time.Minute)
		s.publish(many(0, i))
	}
	same(t, "folder", namesIn(t, s.dir),
		[]string{"SHA256SUMS", "bl.example", "bl.example.json", "bl.example.txt"})
	same(t, "state", namesIn(t, s.cfg.StateDir), []string{"generations", "state.json"})
	kept := namesIn(t, filepath.Join(s.cfg.StateDir, "generations"))
	same(t, "generations", len(kept), 3)
	for _, serial := range kept {
		g, err := readSet(filepath.Join(s.cfg.StateDir, "generations", serial), "bl.example")
		if err != nil || len(g.faults) > 0 {
			t.Errorf("generation %s: %v, %v", serial, g.faults, err)
		}
	}
}

func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestPublishModes(t *testing.T) {
	s := newSite(t)
	s.publish(sample())
	for _, name := range append(namesIn(t, s.dir), ".") {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want := os.FileMode(0o644)
		if info.IsDir() {
			want = 0o755
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %#o, want %#o", name, got, want)
		}
	}
}

func TestPublishUnchanged(t *testing.T) {
	s := newSite(t)
	first := s.publish(sample())
	zone, modified := s.read("bl.example"), s.modified()
	later := sample()
	later[0].Until += 7200 // a hit on who is listed prolongs, and changes no answer
	later[0].Causes = nil
	for _, list := range [][]criteria.Listing{sample(), later} {
		s.clock = s.clock.Add(time.Minute)
		r := s.publish(list)
		same(t, "result", r, Result{Serial: first.Serial, Published: noon, Entries: 10, Unchanged: true})
	}
	s.restart(s.cfg)
	r := s.publish(sample())
	same(t, "after a restart", r, Result{Serial: first.Serial, Published: noon, Entries: 10, Unchanged: true})
	same(t, "zone", s.read("bl.example"), zone)
	if got := s.modified(); !got.Equal(modified) {
		t.Errorf("modified %s, want %s", got, modified)
	}
}

func TestPublishAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(*site) []criteria.Listing
		want  bool
	}{
		{"a second before a quarter of valid_for", func(s *site) []criteria.Listing {
			s.clock = s.clock.Add(12*time.Hour - time.Second)
			return sample()
		}, false},
		{"a quarter of valid_for", func(s *site) []criteria.Listing {
			s.clock = s.clock.Add(12 * time.Hour)
			return sample()
		}, true},
		{"a clock that stepped back: the stamp would be in the future", func(s *site) []criteria.Listing {
			s.clock = s.clock.Add(-time.Hour)
			return sample()
		}, true},
		{"another answer", func(*site) []criteria.Listing {
			list := sample()
			list[0].Answer = criteria.Backscatter
			return list
		}, true},
		{"a published end that passed", func(s *site) []criteria.Listing {
			list := sample()
			list[0].Until = noon + 3600
			s.publish(list[:1])
			s.clock = s.clock.Add(time.Hour)
			list[0].Until += 3600
			return list[:1]
		}, true},
		{"another text", func(s *site) []criteria.Listing {
			c := s.cfg
			c.Header.Text = "Listed: $"
			s.restart(c)
			return sample()
		}, true},
		{"a file was taken away", func(s *site) []criteria.Listing {
			if err := os.Remove(filepath.Join(s.dir, "bl.example.txt")); err != nil {
				s.Fatal(err)
			}
			return sample()
		}, true},
		{"a file was touched", func(s *site) []criteria.Listing {
			name := filepath.Join(s.dir, "bl.example")
			if err := os.WriteFile(name, []byte(s.read("bl.example")+"1.2.3.4\n"), 0o644); err != nil {
				s.Fatal(err)
			}
			return sample()
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.publish(sample())
			r := s.publish(c.after(s))
			if r.Unchanged == c.want {
				t.Errorf("result %+v, want published: %v", r, c.want)
			}
		})
	}
}

func TestPublishWithoutEndIsNeverRefreshed(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Header.ValidFor = 0 })
	s.publish(nil)
	s.clock = s.clock.Add(1000 * time.Hour)
	if r := s.publish(nil); !r.Unchanged {
		t.Errorf("result %+v", r)
	}
}

// TestPublishRaisesTimes: rbldnsd and rsync see a publication by the seconds of its modification.
func TestPublishRaisesTimes(t *testing.T) {
	s := newSite(t)
	s.publish(nil)
	for i, c := range []struct {
		name  string
		clock time.Duration
		want  time.Duration // after noon
	}{
		{"within the same second", 0, time.Second},
		{"again", 0, 2 * time.Second},
		{"a fraction on", 500 * time.Millisecond, 3 * time.Second},
		{"the clock steps back a day", -24 * time.Hour, 4 * time.Second},
		{"and is right again", time.Minute, time.Minute},
	} {
		s.clock = noon.Time().Add(c.clock)
		before := s.publish(many(0, 5+i)).Serial
		if got := s.modified(); !got.Equal(noon.Time().Add(c.want)) {
			t.Errorf("%s: modified %s, want noon and %s", c.name, got, c.want)
		}
		s.restart(s.cfg)
		if r := s.publish(many(0, 500)); r.Serial <= before {
			t.Errorf("%s: serial %d after %d", c.name, r.Serial, before)
		}
		s.resetTimes(c.want)
	}
}

// resetTimes undoes one publication's raise.
func (s *site) resetTimes(after time.Duration) {
	for _, name := range namesOf("bl.example") {
		at := noon.Time().Add(after)
		if err := os.Chtimes(filepath.Join(s.dir, name), at, at); err != nil {
			s.Fatal(err)
		}
	}
	s.Publisher.modified = time.Time{}
}

func TestPublishSerials(t *testing.T) {
	s := newSite(t)
	last := s.publish(nil).Serial
	for _, c := range []struct {
		name string
		do   func()
		want uint32
	}{
		{"time passes", func() { s.clock = s.clock.Add(time.Hour) }, uint32(noon) + 3600},
		{"no time passes", func() {}, uint32(noon) + 3601},
		{"the clock steps back", func() { s.clock = noon.Time().Add(-time.Hour) }, uint32(noon) + 3602},
		{"a restart", func() { s.restart(s.cfg) }, uint32(noon) + 3603},
		{"state is lost", func() { s.lose(s.cfg.StateDir) }, uint32(noon) + 3604},
		{"state is damaged",
			func() { s.spoil(filepath.Join(s.cfg.StateDir, "state.json")) }, uint32(noon) + 3605},
		{"the zone is lost", func() { s.lose(s.dir) }, uint32(noon) + 3606},
		{"the zone is damaged",
			func() { s.spoil(filepath.Join(s.dir, "bl.example")) }, uint32(noon) + 3607},
	} {
		c.do()
		got := s.publish(many(0, int(last%7)+1)).Serial
		if got != c.want {
			t.Errorf("%s: serial %d, want %d", c.name, got, c.want)
		}
		if z, _ := Parse([]byte(s.read("bl.example"))); z.Serial != got {
			t.Errorf("%s: the zone has serial %d, the result %d", c.name, z.Serial, got)
		}
		last = got
	}
}

func (s *site) lose(name string) {
	if err := os.RemoveAll(name); err != nil {
		s.Fatal(err)
	}
	s.restart(s.cfg)
}

func (s *site) spoil(name string) {
	if err := os.WriteFile(name, []byte("{"), 0o644); err != nil {
		s.Fatal(err)
	}
	s.restart(s.cfg)
}

func TestPublishHighestSerialIsAnError(t *testing.T) {
	s := newSite(t)
	s.clock = time.Unix(1<<32-1, 0)
	s.publish(nil)
	if _, err := s.Publish(of(Snapshot{Listings: sample()})); err == nil {
		t.Error("no error")
	}
	s.isWhole()
}

func TestPublishReportsFaults(t *testing.T) {
	s := newSite(t)
	r := s.publish(spam("10.0.0.1", "198.51.0.0/16", "198.51.100.1"))
	if len(r.Faults) != 2 || r.Entries != 1 {
		t.Errorf("result %+v", r)
	}
}

func TestPublishGuards(t *testing.T) {
	guard := func(c *Config) { c.Guard = Guard{MaxChange: 0.5, Floor: 10} }
	explain := func(p netip.Prefix) bool { return p == network("20.0.0.7") }
	s := newSite(t, guard, func(c *Config) { c.Explained = explain })
	if r := s.publish(many(0, 100)); r.Entries != 100 || r.Held != (Held{}) {
		t.Errorf("the first publication: %+v", r)
	}
	s.clock = s.clock.Add(time.Minute)
	r := s.publish(many(0, 200))
	same(t, "too many new", r, Result{Serial: uint32(noon) + 60, Published: noon + 60, Entries: 150, Added: 50,
		Held: Held{Additions: 50}})
	if r := s.publish(many(0, 200)); !r.Unchanged || r.Held.Additions != 50 {
		t.Errorf("within the hour: %+v", r)
	}
	s.restart(s.cfg)
	if r := s.publish(many(0, 200)); !r.Unchanged || r.Held.Additions != 50 {
		t.Errorf("after a restart: %+v", r)
	}
	s.clock = s.clock.Add(time.Hour)
	if r := s.publish(many(0, 200)); r.Entries != 200 || r.Held != (Held{}) {
		t.Errorf("after an hour: %+v", r)
	}
	r, err := s.Publish(of(Snapshot{Listings: many(190, 10), Exceptions: except("20.0.0.9")}))
	if err != nil || r.Entries != 198 || r.Held.Removals != 188 {
		t.Errorf("nearly all gone but what is explained and excepted: %+v, %v", r, err)
	}
	v, err := s.Preview(Snapshot{Listings: many(190, 10)})
	if err != nil || !v.Empty() {
		t.Errorf("Preview = %+v, %v", v, err)
	}
	same(t, "waiting", networks(v.Waiting.Removed), networks(concat(many(0, 7), many(8, 1), many(10, 180))))
	r, err = s.Force(of(Snapshot{Listings: many(190, 10)}))
	if err != nil || r.Entries != 10 || r.Held != (Held{}) {
		t.Errorf("forced: %+v, %v", r, err)
	}
	s.isWhole()
}

// TestPublishKnowsPublishedEnds: what ends as published is no accident, even when another process
// published it and the exact second is not known any more.
func TestPublishKnowsPublishedEnds(t *testing.T) {
	for _, c := range []struct {
		name    string
		restart bool
		at      time.Duration // after the exact end, 40 minutes past the hour
		removed bool
	}{
		{"exact: a second before", false, -time.Second, false},
		{"exact: at the end", false, 0, true},
		{"restarted: before the hour of the end", true, -40 * time.Minute, false},
		{"restarted: at the end", true, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, func(c *Config) { c.Guard = Guard{Floor: 10} })
			list := many(0, 100)
			for i := range list {
				list[i].Until = noon + 5*3600 + 40*60
			}
			s.publish(list)
			if c.restart {
				s.restart(s.cfg)
			}
			s.clock = list[0].Until.Time().Add(c.at)
			if r := s.publish(nil); (r.Entries == 0) != c.removed {
				t.Errorf("result %+v, want removed: %v", r, c.removed)
			}
		})
	}
}

// TestPublishIsGuardedWhereAZoneIsKnown: only where nothing tells what was published before is a
// publication the first one, whichever files somebody took away.
func TestPublishIsGuardedWhereAZoneIsKnown(t *testing.T) {
	const generations, all = "../zone.state/generations", "."
	for _, c := range []struct {
		name    string
		lost    []string
		guarded bool
	}{
		{"nothing is lost", nil, true},
		{"the zone", []string{"bl.example"}, true},
		{"the .json", []string{"bl.example.json"}, true},
		{"the .txt", []string{"bl.example.txt"}, true},
		{"the sums", []string{"SHA256SUMS"}, true},
		{"the folder", []string{all}, true},
		{"folder and serial", []string{all, "../zone.state/state.json"}, true},
		{"state", []string{"../zone.state"}, true},
		{"state and zone: the .json knows", []string{"../zone.state", "bl.example"}, true},
		{"state and .json: the zone knows", []string{"../zone.state", "bl.example.json"}, true},
		{"folder and generations: nothing knows", []string{all, generations}, false},
		{"all", []string{all, "../zone.state"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, func(c *Config) { c.Guard = Guard{Floor: 10} })
			s.publish(many(0, 100))
			for _, name := range c.lost {
				s.lose(filepath.Join(s.dir, name))
			}
			s.restart(s.cfg)
			r := s.publish(many(1000, 100))
			if held := (Held{Additions: 90, Removals: 100}); c.guarded && r.Held != held {
				t.Errorf("result %+v, want %+v held", r, held)
			}
			if !c.guarded && (r.Held != (Held{}) || r.Entries != 100 || len(r.Faults) > 0) {
				t.Errorf("result %+v, want a first publication", r)
			}
		})
	}
}

// TestPublishOverADamagedFolderIsGuarded: something whole still says what was published.
func TestPublishOverADamagedFolderIsGuarded(t *testing.T) {
	for _, c := range []struct {
		name    string
		damaged []string
		want    int
	}{
		{"the zone: the .json knows", []string{"bl.example"}, 100},
		{"the .json: the zone knows", []string{"bl.example.json"}, 100},
		{"the sums: nothing is lost", []string{"SHA256SUMS"}, 100},
		{"zone and .json: the generation before knows", []string{"bl.example", "bl.example.json"}, 99},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, func(c *Config) { c.Guard = Guard{Floor: 10} })
			s.publish(many(0, 99))
			s.publish(many(0, 100))
			if c.want == 100 {
				s.lose(filepath.Join(s.cfg.StateDir, "generations"))
			}
			for _, name := range c.damaged {
				s.spoil(filepath.Join(s.dir, name))
			}
			r := s.publish(nil)
			if r.Entries != c.want || r.Held.Removals != c.want || len(r.Faults) == 0 {
				t.Errorf("result %+v", r)
			}
		})
	}
}

func TestPublished(t *testing.T) {
	s := newSite(t)
	if _, ok := s.Published(netip.MustParseAddr("9.0.0.1")); ok {
		t.Error("listed before anything was published")
	}
	s.publish(sample())
	s.restart(s.cfg)
	if err := s.Load(); err != nil {
		t.Fatal(err)
	}
	for a, want := range map[string]bool{
		"9.0.0.1": true, "::ffff:9.0.0.1": true, "9.0.0.2": false, "198.51.100.255": true,
		"198.51.101.0": false, "2001:db8:1:2:ffff::1": true, "2001:db8:1:3::": false,
		"2001:db8:5::1": true, "2001:db8:5::1%eth0": true, "2001:db8:5::2": false,
		"127.0.0.2": false,
	} {
		serial, got := s.Published(netip.MustParseAddr(a))
		if got != want || serial != uint32(noon) {
			t.Errorf("Published(%s) = %d, %v, want %v", a, serial, got, want)
		}
	}
	if _, ok := s.Published(netip.Addr{}); ok {
		t.Error("no address is listed")
	}
}

func TestNewRefuses(t *testing.T) {
	good := newSite(t).cfg
	for _, c := range []struct {
		name  string
		spoil func(*Config)
		want  string
	}{
		{"state within the folder", func(c *Config) { c.StateDir = c.Dir + "/.state" }, "dir"},
		{"state is the folder", func(c *Config) { c.StateDir = c.Dir + "/." }, "dir"},
		{"no folder", func(c *Config) { c.Dir = "" }, "dir"},
		{"nothing kept", func(c *Config) { c.Keep = 0 }, "keep"},
		{"negative interval", func(c *Config) { c.MinInterval = -1 }, "min_interval"},
		{"negative share", func(c *Config) { c.Guard.MaxChange = -1 }, "max_change"},
		{"negative floor", func(c *Config) { c.Guard.Floor = -1 }, "max_change_floor"},
		{"no clock", func(c *Config) { c.Now = nil }, "clock"},
		{"no special space", func(c *Config) { c.Special = nil }, "special"},
		{"bad header", func(c *Config) { c.Header.Text = "\n" }, "text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := good
			c.spoil(&bad)
			if _, err := New(bad); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New = %v, want %q in it", err, c.want)
			}
		})
	}
	beside := good
	beside.StateDir = beside.Dir + ".state"
	if _, err := New(beside); err != nil {
		t.Errorf("state beside the folder: %v", err)
	}
}

// of is the source of one snapshot.
func of(s Snapshot) Source { return func() (Snapshot, error) { return s, nil } }
