package admin

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// Reputation is what is known of the mail of one listing unit.
type Reputation struct {
	Source criteria.Source `json:"source"`
	At     criteria.Second `json:"at"`
	Points int64           `json:"points"` // that count now
	Ratio  criteria.Micro  `json:"ratio"`  // reputation_ratio
	Need   criteria.Number `json:"need"`   // the score that a listing takes for them
	Score  criteria.Number `json:"score"`
	Cap    int             `json:"cap"` // points that count of a day
	Days   []ReputedDay    `json:"days"`
}

// ReputedDay is one day's part of the points.
type ReputedDay struct {
	Day     string           `json:"day"`
	Counts  map[string]int64 `json:"counts"`  // by the name of who counted
	Reports int64            `json:"reports"` // counted reports of that day: taken off
	Points  int64            `json:"points"`  // what is left, up to the cap
	Until   criteria.Second  `json:"until"`   // the day counts no more
}

// Reputation gives the points of an address, or of the network that is listed
// for it.
func (d *Desk) Reputation(a netip.Addr) (Reputation, error) {
	var r Reputation
	err := d.Judge.View(func(e *criteria.Engine) {
		known := e.Reputation(a)
		policy, _ := e.Policy()
		r = Reputation{Source: known.Source, At: known.At, Points: known.Points, Need: known.Need,
			Score: known.Score, Ratio: policy.ReputationRatio, Cap: policy.ReputationCap,
			Days: make([]ReputedDay, 0, len(known.Days))}
		for _, day := range known.Days {
			r.Days = append(r.Days,
				ReputedDay{day.Day.String(), day.Counts, day.Reports, day.Points, day.Until})
		}
	})
	return r, err
}

// Safeguards are what keeps wanted mail off the list besides the score itself.
type Safeguards struct {
	At     criteria.Second      `json:"at"`
	Points []PointsImport       `json:"points"` // the last import of each name
	Except []criteria.Exception `json:"except"`
}

// PointsImport is an import of reputation points.
type PointsImport struct {
	Name   string          `json:"name"`
	Seq    uint64          `json:"seq"`
	At     criteria.Second `json:"at"`
	Who    string          `json:"who"`
	Reason string          `json:"reason"`
}

// Safeguards reads them from the ledger alone: it takes no judge, and no log.
func (d *Desk) Safeguards() (Safeguards, error) {
	s := Safeguards{At: d.Store.Mark().At, Points: []PointsImport{}}
	engine := criteria.NewEngine(criteria.DefaultPolicy(), criteria.Corrections{})
	for _, dec := range d.Store.Decisions(0, d.Store.Mark().Decision) {
		switch dec.Act {
		case criteria.ActExcept, criteria.ActUnexcept:
			if _, err := engine.Decide(dec); err != nil {
				return s, fmt.Errorf("read the ledger: %w", err)
			}
		case criteria.ActPoints:
			s.take(PointsImport{dec.Name, dec.Seq, dec.At, dec.Who, dec.Reason})
		}
	}
	engine.Settle(s.At)
	s.Except = append([]criteria.Exception{}, engine.Exceptions()...) // a list, also when empty
	return s, nil
}

func (s *Safeguards) take(p PointsImport) {
	i := slices.IndexFunc(s.Points, func(old PointsImport) bool { return old.Name == p.Name })
	if i < 0 {
		s.Points = append(s.Points, p)
		return
	}
	s.Points[i] = p
}

// Counted is what became of an import of points.
type Counted struct {
	Name    string          `json:"name"`
	First   uint64          `json:"first"` // numbers of the decisions
	Last    uint64          `json:"last"`
	At      criteria.Second `json:"at"`
	Who     string          `json:"who"`
	Points  int             `json:"points"`  // days and addresses
	Changes []Change        `json:"changes"` // listings that began or ended
}

// MostPoints is how many days and addresses one decision has. An import of more
// is several, so that mail is not kept waiting for one large commit.
const MostPoints = 1 << 19

// mostPacked bounds a decision's points, in bytes: of IPv6, with long counts.
const mostPacked = 32 << 20

// Count takes points that somebody counted, a frame for a decision. Where it
// ends in an error, what came before it is in the ledger: importing all of it
// again replaces that.
func (d *Desk) Count(ctx context.Context, who, name, reason string, points io.Reader) (
	Counted, error) {
	done := Counted{Name: name, Who: who, Changes: []Change{}}
	if err := errors.Join(CheckSource(name), checkReason(reason)); err != nil {
		return done, err
	}
	d.deciding.Lock()
	defer d.deciding.Unlock()
	before, err := d.Judge.Listings()
	if err != nil {
		return done, err
	}
	decision := criteria.Decision{Act: criteria.ActPoints, Who: who, Name: name, Reason: reason}
	in := bufio.NewReader(points)
	for err == nil {
		if decision.Points, err = frame(in); err == nil {
			err = d.count(ctx, decision, &done)
		}
	}
	if !errors.Is(err, io.EOF) {
		return done, err
	}
	after := before
	if done.Last > 0 {
		if after, err = d.await(ctx, done.First, done.Last); err != nil {
			return done, err
		}
	}
	done.Changes = changes(before.Listings, after.Listings)
	return done, nil
}

// count puts one decision in the ledger.
func (d *Desk) count(ctx context.Context, dec criteria.Decision, done *Counted) error {
	n, err := dec.Points.Len()
	if err != nil {
		return badRequest("read the points: "+err.Error(), "is this client of the same version?")
	}
	tomorrow := criteria.DayOf(d.Store.Mark().At) + 1
	for p := range dec.Points.All() {
		if p.Day > tomorrow { // it would count until then
			return badRequest(fmt.Sprintf("points of %s, which is still to come", p.Day),
				"correct the dates, or the clock")
		}
	}
	decisions := []criteria.Decision{dec}
	if err := d.Store.Decide(ctx, decisions...); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	made := decisions[0]
	if done.First == 0 {
		done.First = made.Seq
	}
	done.Last, done.At, done.Points = made.Seq, made.At, done.Points+n
	return nil
}

// frame reads points that stand behind their length, a varint; io.EOF at the
// end.
func frame(in *bufio.Reader) (criteria.Points, error) {
	size, err := binary.ReadUvarint(in)
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err == nil && size > mostPacked:
		return nil, badRequest(fmt.Sprintf("%d bytes of points at once", size), "send them in parts")
	case err != nil:
		return nil, fmt.Errorf("read the points: %w", err)
	}
	points := make(criteria.Points, size)
	_, err = io.ReadFull(in, points)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("read the points: %w", err)
	}
	return points, nil
}

// frames packs points for Count, a frame at a time as they are read.
type frames struct {
	points []criteria.Point
	packed []byte // not read yet
}

// Read gives the next bytes.
func (f *frames) Read(b []byte) (int, error) {
	if len(f.packed) == 0 {
		if len(f.points) == 0 {
			return 0, io.EOF
		}
		n := min(len(f.points), MostPoints)
		points := criteria.PackPoints(f.points[:n])
		f.points = f.points[n:]
		f.packed = append(binary.AppendUvarint(nil, uint64(len(points))), points...)
	}
	n := copy(b, f.packed)
	f.packed = f.packed[n:]
	return n, nil
}
