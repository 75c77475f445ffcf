package feed

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
)

const (
	// MaxCounts is how many addresses a day, or clients and addresses an hour, one stream may
	// hold. Each takes some 160 bytes until it is handed over.
	MaxCounts = 1 << 22
	// MaxPoints is the most points that an address can be given: JSON readers know whole numbers
	// exactly up to here.
	MaxPoints = 1 << 53

	secondsOfDay = 24 * 60 * 60
	// ahead is how far behind our clock is allowed to be: further, and the stamp is wrong.
	ahead = secondsOfDay
)

// PointOptions say how points are read.
type PointOptions struct {
	Path   string // what errors call the stream
	Format Format // Auto, List, QueryLog or MailLog

	// Now is the present. A mail log's stamps without a year are read as the last such day, and in
	// its time zone.
	Now time.Time
	// Day is the day of list lines without a date, in UTC; zero: that of Now.
	Day time.Time

	Clients []netip.Prefix // a query log's resolvers that count
	Origin  string         // the zone they ask for
}

// Points reads points, one line of a list or one message or query at a time. The counts are sorted
// by day and address, and IPv6 addresses are whole: the units of listing are the criteria's. An
// error is a [LineError] where a line is at fault; then no count is to be used.
func Points(r io.Reader, o PointOptions) ([]Count, *Stats, error) {
	stats := newStats()
	in, err := newLines(r, o.Path)
	if err != nil {
		return nil, stats, err
	}
	c := newCounter(stats, o.Now)
	chosen, err := in.choose(o.Format, []choice{
		{List, &list{counter: c, day: o.day()}},
		{QueryLog, newQueryLog(c, o)},
		{MailLog, newMailLog(c, o.Now)},
	})
	if err == nil && chosen.format == QueryLog {
		err = o.checkQueries()
	}
	if err != nil {
		return nil, stats, in.fault(err)
	}
	if err := in.read(chosen, stats); err != nil {
		return nil, stats, err
	}
	return c.sorted(), stats, nil
}

// checkQueries tells what a query log cannot be read without.
func (o PointOptions) checkQueries() error {
	switch {
	case len(o.Clients) == 0:
		return errors.New("whose queries count is not known: name the resolvers in " +
			"reputation.clients")
	case strings.Trim(o.Origin, ".") == "":
		return errors.New("which zone's queries count is not known: set zone.origin")
	}
	return nil
}

func (o PointOptions) day() criteria.Second {
	if o.Day.IsZero() {
		return dayOf(criteria.At(o.Now))
	}
	return dayOf(criteria.At(o.Day))
}

// dayOf is 0:00 UTC of the day that holds a second, before 1970, too.
func dayOf(s criteria.Second) criteria.Second {
	return s - (s%secondsOfDay+secondsOfDay)%secondsOfDay
}

// spot is where points lie.
type spot struct {
	day     criteria.Second
	address netip.Addr
}

// counter adds up points.
type counter struct {
	*Stats
	latest criteria.Second // what is later has a wrong stamp
	limit  int             // see MaxCounts
	points map[spot]int64
}

func newCounter(s *Stats, now time.Time) *counter {
	return &counter{s, criteria.At(now) + ahead, MaxCounts, map[spot]int64{}}
}

// spotOf says where an address's points of an instant lie, or why it gets none.
func (c *counter) spotOf(a netip.Addr, at criteria.Second) (spot, Skip) {
	a = address.Unwrap(a)
	switch {
	case address.Special(a):
		return spot{}, Special
	case at > c.latest:
		return spot{}, Ahead
	}
	return spot{dayOf(at), a}, ""
}

// add gives points and takes the line they come from.
func (c *counter) add(s spot, points int64) error {
	had, known := c.points[s]
	switch {
	case !known && len(c.points) >= c.limit:
		return c.tooMany("addresses a day")
	case points > MaxPoints-had:
		return fmt.Errorf("%s gets more than %d points on one day: give it fewer",
			s.address, int64(MaxPoints))
	}
	c.points[s] = had + points
	c.Taken++
	return nil
}

func (c *counter) tooMany(what string) error {
	return fmt.Errorf("more than %d %s: split the file by day, and give each part a name of its own",
		c.limit, what)
}

func (c *counter) sorted() []Count {
	counts := make([]Count, 0, len(c.points))
	for s, points := range c.points {
		counts = append(counts, Count{s.day, s.address, points})
	}
	slices.SortFunc(counts, func(a, b Count) int {
		if a.Day != b.Day {
			return int(a.Day - b.Day)
		}
		return a.Address.Compare(b.Address)
	})
	return counts
}
