package criteria

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/internal/address"
)

// Day is a day in UTC, counted from 1970-01-01 (0).
type Day uint16

const secondsOfDay = 86400

// DayOf gives the day that an instant from 1970 to 2149 lies in.
func DayOf(s Second) Day { return Day(s / secondsOfDay) }

// Start is the day's first second.
func (d Day) Start() Second { return Second(d) * secondsOfDay }

// End is the first second after the day.
func (d Day) End() Second { return d.Start() + secondsOfDay }

// String gives "2026-11-24".
func (d Day) String() string { return d.Start().Time().Format("2006-01-02") }

// Point is what one source of reputation counted for an address on a day.
type Point struct {
	Day   Day
	Addr  netip.Addr // a plain IPv4 or IPv6 address; IPv6 adds up in its unit
	Count uint32     // 0 takes back what was counted before
}

// Points is a packed list of Point, a few bytes each: an import may hold
// millions. It is sorted by day and address, each once. The layout, a point
// after the other: day less the one before it, a varint; length of the address
// (4 or 16) and its bytes; count, a varint.
type Points []byte

// PackPoints packs a list in any order; of several points for the same address
// and day the last holds. Addresses are unwrapped.
func PackPoints(list []Point) Points {
	sorted := slices.Clone(list)
	for i := range sorted {
		sorted[i].Addr = address.Unwrap(sorted[i].Addr)
	}
	slices.SortStableFunc(sorted, comparePoints)
	var packed Points
	var last Day
	for i, p := range sorted {
		if i+1 < len(sorted) && comparePoints(p, sorted[i+1]) == 0 {
			continue
		}
		packed = binary.AppendUvarint(packed, uint64(p.Day-last))
		packed = appendBytes(packed, p.Addr.AsSlice())
		packed = binary.AppendUvarint(packed, uint64(p.Count))
		last = p.Day
	}
	return packed
}

func comparePoints(a, b Point) int {
	return cmp.Or(cmp.Compare(a.Day, b.Day), a.Addr.Compare(b.Addr))
}

var errPoints = errors.New("points do not unpack")

// Check tells whether the bytes are a list of points.
func (p Points) Check() error {
	_, err := p.Len()
	return err
}

// Len counts the points.
func (p Points) Len() (int, error) {
	n, r := 0, pointReader{unpacker: unpacker{rest: p}}
	for len(r.rest) > 0 {
		r.next()
		n++
	}
	if r.bad {
		return n, fmt.Errorf("%d bytes: %w", len(p), errPoints)
	}
	return n, nil
}

// All gives the points, sorted by day and address, up to the first that does
// not unpack.
func (p Points) All() iter.Seq[Point] {
	return func(yield func(Point) bool) {
		r := pointReader{unpacker: unpacker{rest: p}}
		for len(r.rest) > 0 {
			if point := r.next(); r.bad || !yield(point) {
				return
			}
		}
	}
}

type pointReader struct {
	unpacker
	last uint64 // day
}

func (r *pointReader) next() Point {
	r.last += r.number()
	addr, ok := netip.AddrFromSlice(r.bytes())
	count := r.number()
	if !ok || addr.Is4In6() || r.last > 1<<16-1 || count > 1<<32-1 {
		r.bad, r.rest = true, nil
	}
	return Point{Day(r.last), addr, uint32(count)}
}
