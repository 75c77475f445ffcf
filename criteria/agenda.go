package criteria

import "slices"

// agenda is when sources must be looked at: a heap of due second << 32 | number,
// earliest first. It is lazy: a source may stand in it several times, and only
// the time that equals the source's own due means anything.
type agenda []uint64

// first is the earliest second, Never when there is none.
func (a agenda) first() Second {
	if len(a) == 0 {
		return Never
	}
	return Second(a[0] >> 32)
}

// note makes a source due at a second, if it is not due before: then that look
// finds this second anew, which is cheaper than moving it at each hit.
func (a *agenda) note(s *source, at Second) {
	if due := noted(at); due < s.due {
		s.due = due
		a.push(uint64(due)<<32 | uint64(s.number))
	}
}

// due gives the sources that are due up to a second, by address, and clears
// what is noted of them.
func (a *agenda) due(at Second, r *roll) []*source {
	var found []*source
	for a.first() <= at {
		item := a.pop()
		if s := r.at(uint32(item)); s.due == uint32(item>>32) {
			s.due = uint32(latest)
			found = append(found, s)
		}
	}
	slices.SortFunc(found, compareUnits)
	return found
}

func (a *agenda) push(item uint64) {
	*a = append(*a, item)
	h := *a
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if h[parent] <= item {
			break
		}
		h[i], h[parent] = h[parent], item
		i = parent
	}
}

func (a *agenda) pop() uint64 {
	h := *a
	top, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*a = h
	for i := 0; len(h) > 0; {
		child := 2*i + 1
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if child >= len(h) || last <= h[child] {
			h[i] = last
			break
		}
		h[i] = h[child]
		i = child
	}
	return top
}
