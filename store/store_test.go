package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	dir, at := t.TempDir(), newClock()
	s := opened(t, Config{Dir: dir, Now: at.read})
	var want []Record
	for n := 0; n < 3*1024; n += 64 { // many chunks, three days
		var batch []*Record
		for i := range 64 {
			batch = append(batch, evident(n+i+1))
		}
		if err := s.Append(context.Background(), batch...); err != nil {
			t.Fatal(err)
		}
		if n%1024 == 512 {
			at.move(daySpan)
		}
		for _, r := range batch {
			kept := *r
			kept.Evidence = nil
			want = append(want, kept)
		}
	}
	for _, name := range []string{"open", "reopened"} {
		t.Run(name, func(t *testing.T) {
			if name == "reopened" {
				closed(t, s)
				s = opened(t, Config{Dir: dir, Now: at.read})
			}
			checkReads(t, s, want)
		})
	}
}

// checkReads reads the log in every way there is.
func checkReads(t *testing.T, s *Store, want []Record) {
	t.Helper()
	last := uint64(len(want))
	if s.Mark().LSN != last {
		t.Fatalf("the mark is at %d, want %d", s.Mark().LSN, last)
	}
	for _, r := range [][2]uint64{{1, last}, {0, last}, {last, last}, {700, 2100}, {5, 4}, {last + 1, last + 9}} {
		from, to := r[0], r[1]
		var got []Record
		for rec, err := range s.Records(from, to) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rec)
		}
		first := min(max(from, 1), last+1)
		part := want[first-1 : max(first-1, min(to, last))]
		same(t, fmt.Sprintf("records %d to %d", from, to), part, got)
	}
	for _, from := range []uint64{last, last + 5, 1500, 1, 0} {
		back := slices.Clone(want[:min(from, last)])
		slices.Reverse(back)
		var got []Record
		for rec, err := range s.Newest(from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rec)
		}
		same(t, fmt.Sprint("newest from ", from), back, got)
	}
	for _, lsn := range []int{1, 1500, int(last)} {
		if head, err := s.Evidence(uint64(lsn)); err != nil || string(head) != string(headOf(lsn)) {
			t.Errorf("evidence %d is %q, %v", lsn, head, err)
		}
	}
	if head, err := s.Evidence(last + 1); head != nil || err != nil {
		t.Errorf("evidence of nothing is %q, %v", head, err)
	}
}

// same compares thousands of records: cmp.Diff is too slow for where they agree.
func same(t *testing.T, what string, want, got []Record) {
	t.Helper()
	equal := func(a, b Record) bool { return reflect.DeepEqual(a, b) }
	if !slices.EqualFunc(want, got, equal) {
		t.Errorf("%s: %s", what, cmp.Diff(want, got, addresses))
	}
}

func TestStampsNeverStepBack(t *testing.T) {
	dir, at := t.TempDir(), newClock()
	s := opened(t, Config{Dir: dir, Now: at.read})
	var last criteria.Second
	for n, step := range []time.Duration{0, time.Hour, -3 * time.Hour, 26 * time.Hour, -48 * time.Hour, time.Minute} {
		at.move(step)
		r := hit(n + 1)
		if err := s.Append(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if r.Stamp < last || r.LSN != uint64(n+1) {
			t.Errorf("after a step of %v: LSN %d stamped %s, before it was %s", step, r.LSN, r.Stamp, last)
		}
		last = r.Stamp
		decide(t, s, except(n))
		if d := s.Decisions(uint64(n), uint64(n+1))[0]; d.At < last || d.After != r.LSN || d.Seq != uint64(n+1) {
			t.Errorf("decision %d after hit %d at %s, want after %d at %s", d.Seq, d.After, d.At, r.LSN, last)
		}
	}
	if got := all(t, s); !slices.Equal(got, upTo(1, 6)) {
		t.Errorf("the log holds %v", got)
	}
	if len(s.days) != 2 {
		t.Errorf("%d days", len(s.days))
	}
}

func TestOpenRefusesALogAheadOfTheClock(t *testing.T) {
	for _, c := range []struct {
		name string
		back time.Duration
		want error
	}{
		{"behind", -time.Hour, nil},
		{"an hour ahead", time.Hour, nil},
		{"more", time.Hour + time.Second, ErrAhead},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, at := t.TempDir(), newClock()
			s := opened(t, Config{Dir: dir, Now: at.read})
			add(t, s, 1, 1)
			closed(t, s)
			at.move(-c.back)
			s, err := Open(Config{Dir: dir, Now: at.read})
			if !errors.Is(err, c.want) {
				t.Fatalf("open says %v, want %v", err, c.want)
			}
			if err == nil {
				closed(t, s)
			}
			reader, err := OpenReadOnly(dir) // whoever only reads has no clock to set
			if err != nil {
				t.Fatal(err)
			}
			closed(t, reader)
		})
	}
}

func TestDecisionsComeInTheirPlace(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	decide(t, s, except(1), except(2))
	add(t, s, 1, 2)
	decide(t, s, except(3))
	add(t, s, 3, 3)
	decide(t, s, except(4))
	want := []string{"reason 1", "reason 2", "helo 1", "helo 2", "reason 3", "helo 3", "reason 4"}
	for _, reopen := range []bool{false, true} {
		if reopen {
			closed(t, s)
			s = opened(t, Config{Dir: dir})
		}
		mark := s.Mark()
		if got := told(t, s, Mark{}, mark); !slices.Equal(got, want) {
			t.Errorf("reopened %v: the log says %q", reopen, got)
		}
		if got := told(t, s, Mark{LSN: 2, Decision: 2}, mark); !slices.Equal(got, want[4:]) {
			t.Errorf("reopened %v: after hit 2 the log says %q", reopen, got)
		}
		if got := told(t, s, Mark{LSN: 2, Decision: 3}, Mark{LSN: 3, Decision: 3}); !slices.Equal(got, want[5:6]) {
			t.Errorf("reopened %v: up to hit 3 the log says %q", reopen, got)
		}
	}
}

func told(t testing.TB, s *Store, after, to Mark) []string {
	t.Helper()
	var words []string
	for e, err := range s.Events(after, to) {
		switch {
		case err != nil:
			t.Fatal(err)
		case e.Hit != nil:
			words = append(words, fmt.Sprint("helo ", e.Hit.LSN))
		default:
			words = append(words, e.Decision.Reason)
		}
	}
	return words
}

func TestBadDecisionsNeverReachTheWriter(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	late := except(1)
	late.Until = criteria.At(time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)) // no RFC 3339
	for name, d := range map[string]criteria.Decision{
		"no act": {}, "no policy": {Act: criteria.ActPolicy}, "no network": {Act: criteria.ActList},
		"no such year": late,
	} {
		if err := s.Decide(context.Background(), except(1), d); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	decide(t, s, except(1))
	if s.Mark().Decision != 1 {
		t.Errorf("%d decisions", s.Mark().Decision)
	}
}

func TestSecretStaysTheSame(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	secret := slices.Clone(s.Secret())
	closed(t, s)
	s = opened(t, Config{Dir: dir})
	if !slices.Equal(s.Secret(), secret) || len(secret) != 32 {
		t.Error("another secret after reopening")
	}
	other := opened(t, Config{Dir: t.TempDir()})
	if slices.Equal(other.Secret(), secret) {
		t.Error("two stores with one secret")
	}
}

func TestSinceFindsThePlaceOfAnInstant(t *testing.T) {
	clock := newClock()
	s := opened(t, Config{Dir: t.TempDir(), Now: clock.read})
	begin := criteria.At(morning)
	for n := range 3 { // one hit, then two, then one, 20 hours apart
		for range n%2 + 1 {
			add(t, s, 1, 1)
		}
		clock.move(20 * time.Hour)
	}
	for at, want := range map[criteria.Second]uint64{
		0: 1, begin: 1, begin + 1: 2, begin + 20*3600: 2, begin + 20*3600 + 1: 4,
		begin + 40*3600: 4, begin + 40*3600 + 1: 5, begin + 400*3600: 5,
	} {
		if got, err := s.Since(at); err != nil || got != want {
			t.Errorf("since %s: hit %d, %v, want %d", at, got, err, want)
		}
	}
}
