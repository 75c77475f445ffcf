package criteria

import "container/heap"

// agenda is the sources by the second at which each must be looked at again,
// earliest first; equal seconds by address, so that every run takes them alike.
type agenda []*source

// first is the earliest second, Never when there is none.
func (a agenda) first() Second {
	if len(a) == 0 {
		return Never
	}
	return a[0].due
}

// set notes when a source is due, replacing what was noted before.
func (a *agenda) set(s *source, due Second) {
	s.due = due
	if s.index < 0 {
		heap.Push(a, s)
		return
	}
	heap.Fix(a, s.index)
}

func (a *agenda) remove(s *source) {
	if s.index >= 0 {
		heap.Remove(a, s.index)
	}
}

// Len, Less, Swap, Push and Pop are container/heap's.
func (a agenda) Len() int { return len(a) }

// Less: see Len.
func (a agenda) Less(i, j int) bool {
	if a[i].due != a[j].due {
		return a[i].due < a[j].due
	}
	return a[i].unit.Less(a[j].unit)
}

// Swap: see Len.
func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].index, a[j].index = i, j
}

// Push: see Len.
func (a *agenda) Push(x any) {
	s := x.(*source)
	s.index = len(*a)
	*a = append(*a, s)
}

// Pop: see Len.
func (a *agenda) Pop() any {
	last := len(*a) - 1
	s := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	s.index = -1
	return s
}
