package store

import (
	"iter"
	"runtime"
	"sync"

	"github.com/trapline/trapline/criteria"
)

// Event is the next thing in the log: a hit, or a decision in its place.
type Event struct {
	Hit      *criteria.Hit
	Decision *criteria.Decision
}

// breath is after how many hits whoever reads a long stretch lets others run. A
// replay keeps a core busy for seconds, and a session whose mail has just come
// would else wait until the runtime takes that core away, ten milliseconds.
const breath = 64

// Events gives the log after one mark and up to another, decisions right after
// the hit they follow. An error ends it: damage names the file and the LSN.
// Long stretches are read a step ahead by a goroutine of its own.
func (s *Store) Events(after, to Mark) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		decisions := s.Decisions(after.Decision, to.Decision)
		// flush gives the decisions that stand before the hit lsn+1.
		flush := func(lsn uint64) bool {
			for len(decisions) > 0 && decisions[0].After <= lsn {
				d := decisions[0]
				decisions = decisions[1:]
				err := s.ledger.complete(&d)
				if !yield(Event{Decision: &d}, err) || err != nil {
					return false
				}
			}
			return true
		}
		reader := hitReader{names: map[string]string{}}
		hits := batches(s, after.LSN+1, to.LSN, reader.hit)
		if to.LSN > after.LSN+2*chunk {
			hits = ahead(hits)
		}
		for batch, err := range hits {
			for i := range batch {
				if !flush(batch[i].LSN-1) || !yield(Event{Hit: &batch[i]}, nil) {
					return
				}
				if i%breath == breath-1 {
					runtime.Gosched()
				}
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
		}
		flush(to.LSN)
	}
}

// hitReader unpacks of a record only what the rules read. Names of traps come
// again and again, so each is made once.
type hitReader struct {
	names map[string]string
	traps []string // room for Hit.Traps, a slab at a time
}

// hit unpacks a record as recordOf does, but for what the rules do not read.
func (h *hitReader) hit(lsn uint64, b []byte) (criteria.Hit, error) {
	u := unpacker{rest: b}
	hit := criteria.Hit{LSN: lsn}
	u.hit(&hit)
	for range []string{"peer", "reason", "helo", "mail from", "tls", "protocol"} {
		u.take(u.number())
	}
	if cap(h.traps)-len(h.traps) < 8 {
		h.traps = make([]string, 0, chunk)
	}
	first := len(h.traps)
	for range u.count() {
		h.traps = append(h.traps, h.name(u.take(u.number())))
	}
	hit.Traps = h.traps[first:len(h.traps):len(h.traps)]
	hit.Weights = u.weights(&hit)
	if u.bad {
		return hit, errUnpack
	}
	return hit, nil
}

// weights unpacks the recipients for what each of a hit's traps is worth; nil
// where all are worth the same.
func (u *unpacker) weights(h *criteria.Hit) []criteria.Micro {
	var weights []criteria.Micro
	next, unlike := 0, false
	for range u.count() {
		name := u.take(u.number())
		u.take(u.number())
		active, weight := string(u.take(u.number())) == "active", criteria.Micro(u.number())
		if !active || next == len(h.Traps) || string(name) != h.Traps[next] {
			continue
		}
		next++
		if len(h.Traps) > 1 {
			weights, unlike = append(weights, weight), unlike || weight != h.Weight
		}
	}
	if !unlike || next < len(h.Traps) {
		return nil
	}
	return weights
}

// mostNames bounds the memory for names: strangers choose them.
const mostNames = 1 << 14

func (h *hitReader) name(b []byte) string {
	if name, ok := h.names[string(b)]; ok {
		return name
	}
	if len(h.names) >= mostNames {
		clear(h.names)
	}
	name := string(b)
	h.names[name] = name
	return name
}

// ahead gives what a sequence gives, read by a goroutine while the reader is
// busy with what came before.
func ahead[T any](values iter.Seq2[T, error]) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		results, stop := make(chan result, 4), make(chan struct{})
		var reader sync.WaitGroup
		defer reader.Wait()
		defer close(stop)
		reader.Go(func() {
			defer close(results)
			for value, err := range values {
				select {
				case results <- result{value, err}:
				case <-stop:
					return
				}
			}
		})
		for r := range results {
			if !yield(r.value, r.err) {
				return
			}
		}
	}
}
