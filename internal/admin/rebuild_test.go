package admin

import (
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/zone"
)

// lastRebuilt drains the answer to a rebuild and gives its last line.
func lastRebuilt(t *testing.T, lines iter.Seq2[Rebuilding, error]) (Rebuilt, error) {
	t.Helper()
	var last Rebuilding
	for line, err := range lines {
		if err != nil {
			return Rebuilt{}, err
		}
		last = line
	}
	if last.Rebuilt == nil {
		t.Fatal("the answer ends without what came of it")
	}
	return *last.Rebuilt, nil
}

// published is an office whose zone is published in a folder.
func published(t *testing.T) (*office, *ZoneDesk) {
	t.Helper()
	z := newZoneOffice(t)
	o := z.office
	o.CompareZone = func(l judge.List) (ZoneCompared, error) { return z.zone.Compare(l, o.Judge.HasLeft) }
	return o, z.zone
}

func TestRebuildOverTheSocket(t *testing.T) {
	o, z := published(t)
	o.blame("198.51.100.7")
	client := o.door()
	r, err := lastRebuilt(t, client.Rebuild(t.Context(), RebuildOrder{Compare: true}))
	if err != nil || !r.Equal || !r.Same() || r.Listed != 1 || r.State != "engine" || r.Decision != 0 || r.Zone.Serial != 0 {
		t.Errorf("before a zone: %+v, %v", r, err)
	}
	if _, err := z.Build(t.Context(), "tester", BuildOrder{}); err != nil {
		t.Fatal(err)
	}
	r, err = lastRebuilt(t, client.Rebuild(t.Context(), RebuildOrder{Reason: "to be sure"}))
	if err != nil || r.Differ != 0 || r.Decision == 0 || r.Sources != 1 || r.Listed != 1 {
		t.Errorf("rebuilt %+v, %v", r, err)
	}
	var audited []Decision
	for d, err := range o.Audit(AuditFilter{Act: criteria.ActRebuild}) {
		if err != nil {
			t.Fatal(err)
		}
		audited = append(audited, d)
	}
	if len(audited) != 1 || audited[0].Reason != "to be sure" || !strings.Contains(audited[0].Who, Self()) {
		t.Errorf("audited %+v", audited)
	}
	r, err = lastRebuilt(t, client.Rebuild(t.Context(), RebuildOrder{Compare: true}))
	if err != nil || !r.Same() || r.Zone.Serial == 0 {
		t.Errorf("compared %+v, %v", r, err)
	}
}

// What the published zone has too few or too many by the log is named; what came or
// ended since it was published is not.
func TestZoneIsComparedWithAReplay(t *testing.T) {
	o, z := published(t)
	o.blame("198.51.100.7")
	o.blame("198.51.100.8")
	list, err := o.Judge.Listings()
	if err != nil {
		t.Fatal(err)
	}
	// The zone of an engine that went wrong: it lacks one, and has one too many.
	wrong := slices.Clone(list.Listings)
	wrong[0].Source = netip.MustParsePrefix("198.51.100.99/32")
	o.seconds.Add(10)
	if _, err := z.Publisher.Publish(func() (zone.Snapshot, error) {
		return zone.Snapshot{Listings: wrong, At: criteria.At(o.now())}, nil
	}); err != nil {
		t.Fatal(err)
	}
	o.seconds.Add(10)
	o.blame("198.51.100.9") // came since
	r, err := lastRebuilt(t, o.Rebuild(t.Context(), "tester", RebuildOrder{Compare: true}))
	if err != nil || r.Differ != 0 || r.Same() {
		t.Fatalf("compared %+v, %v", r, err)
	}
	name := func(all []Listing) (names []string) {
		for _, l := range all {
			names = append(names, l.Source.String())
		}
		return names
	}
	if !slices.Equal(name(r.Zone.Missing), []string{"198.51.100.7"}) ||
		!slices.Equal(name(r.Zone.Extra), []string{"198.51.100.99"}) || len(r.Zone.Changed) > 0 {
		t.Errorf("missing %v, extra %v, changed %v", r.Zone.Missing, r.Zone.Extra, r.Zone.Changed)
	}
	o.must(criteria.ActDelist, "198.51.100.8/32", "asked to", 0) // has left since, as is known
	if r, err = lastRebuilt(t, o.Rebuild(t.Context(), "tester", RebuildOrder{Compare: true})); err != nil ||
		!slices.Equal(name(r.Zone.Extra), []string{"198.51.100.99"}) {
		t.Errorf("extra %v, %v", r.Zone.Extra, err)
	}
}

func TestRebuildIsRefused(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	client := o.door()
	if _, err := lastRebuilt(t, client.Rebuild(t.Context(), RebuildOrder{Reason: "two\nlines"})); !IsMisuse(err) {
		t.Errorf("a reason of two lines: %v", err)
	}
	o.simulating.Lock()
	if _, err := lastRebuilt(t, client.Rebuild(t.Context(), RebuildOrder{})); err == nil ||
		!strings.Contains(err.Error(), "is under way") {
		t.Errorf("beside a simulation: %v", err)
	}
	o.simulating.Unlock()
	n := newUnreadOffice(t)
	if _, err := lastRebuilt(t, n.door().Rebuild(t.Context(), RebuildOrder{})); err == nil ||
		!strings.Contains(err.Error(), "still reading its log") {
		t.Errorf("while the log is read: %v", err)
	}
	if m := n.Store.Mark(); m.Decision != 1 {
		t.Errorf("what was refused is in the ledger: %+v", m)
	}
}

// On the files of a daemon that is down it works without a judge.
func TestRebuildOfFiles(t *testing.T) {
	o := newUnreadOffice(t)
	for n, to := range []string{"one@traps.example", "two@traps.example"} {
		r := &store.Record{Hit: criteria.Hit{Time: criteria.At(o.now()), Source: netip.MustParseAddr("198.51.100.7"),
			Traps: []string{to}, Weight: criteria.One, Digest: criteria.Digest{byte(n + 1)}}}
		if err := o.Store.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	quiet := func(uint64, uint64) {}
	r, err := o.RebuildFiles(t.Context(), "tester", RebuildOrder{Compare: true}, quiet)
	if err != nil || r.State != "none" || r.Why == "" || !r.Same() {
		t.Errorf("without a state: %+v, %v", r, err)
	}
	r, err = o.RebuildFiles(t.Context(), "tester", RebuildOrder{}, quiet)
	if err != nil || r.Decision == 0 || r.Listed != 1 {
		t.Errorf("rebuilt: %+v, %v", r, err)
	}
	r, err = o.RebuildFiles(t.Context(), "tester", RebuildOrder{Compare: true}, quiet)
	if err != nil || r.State != "snapshot" || !r.Equal {
		t.Errorf("then compared: %+v, %v", r, err)
	}
}

// A compaction tells of each file, and what it was and is, and shows how far it is.
func TestCompactOverTheSocket(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	var files []store.Compacted
	told := 0
	for line, err := range o.door().Compact(t.Context()) {
		switch {
		case err != nil:
			t.Fatal(err)
		case line.File != nil:
			files = append(files, *line.File)
		default:
			told++
		}
	}
	if len(files) != 2 || files[0].File != "ledger.db" || files[0].After > files[0].Before || told == 0 {
		t.Errorf("compacted %+v, told %d times", files, told)
	}
	if left, err := filepath.Glob(filepath.Join(o.dir, "*.new")); len(left) > 0 || err != nil {
		t.Errorf("left %q, %v", left, err)
	}
	o.compacting.Lock()
	defer o.compacting.Unlock()
	for _, err := range o.door().Compact(t.Context()) {
		if err == nil || !strings.Contains(err.Error(), "under way") {
			t.Errorf("beside another: %v", err)
		}
	}
}

// A damaged file is not rewritten, and named.
func TestCompactionOfADamagedFile(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	path := filepath.Join(o.dir, "ledger.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	for _, err := range o.door().Compact(t.Context()) {
		if err == nil {
			continue
		}
		if !strings.Contains(err.Error(), path) {
			t.Errorf("compact says %v", err)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
}
