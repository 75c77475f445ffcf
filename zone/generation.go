package zone

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"

	"github.com/trapline/trapline/criteria"
)

// ErrNoGeneration says that a publication that is to stand again is not kept, or not whole.
var ErrNoGeneration = errors.New("is not kept")

// Generation is a publication that is kept, and what rolling back to it would do now.
type Generation struct {
	Serial     uint32
	Published  criteria.Second // 0: a zone without a stamp does not say
	Entries    int             // as it was published
	Difference Difference      // to what is published now
	Faults     []Fault         // none: it is whole
}

// generation is the folder of the publication with the last serial.
func (p *Publisher) generation() string { return p.generationOf(p.serial) }

func (p *Publisher) generationOf(serial uint32) string {
	return p.state(generationsName, strconv.FormatUint(uint64(serial), 10))
}

// generations gives the serials of the generations on disk, newest first.
func (p *Publisher) generations() ([]uint32, error) {
	entries, err := os.ReadDir(p.state(generationsName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read generations: %w", err)
	}
	var serials []uint32
	for _, e := range entries {
		if n, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
			serials = append(serials, uint32(n))
		}
	}
	slices.SortFunc(serials, func(a, b uint32) int { return cmp.Compare(b, a) })
	return serials, nil
}

// Generations gives what is kept, newest first, compared with what is published. The snapshot is
// the list as it is, for its exceptions and removals hold in what was published before them, too.
func (p *Publisher) Generations(s Snapshot) ([]Generation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.load(); err != nil {
		return nil, err
	}
	serials, err := p.generations()
	if err != nil {
		return nil, err
	}
	var all []Generation
	for _, serial := range serials {
		g, err := p.generationFrom(s, serial)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

func (p *Publisher) generationFrom(s Snapshot, serial uint32) (Generation, error) {
	kept, err := readSet(p.generationOf(serial), p.cfg.Header.Origin)
	if err != nil {
		return Generation{}, err
	}
	g := Generation{Serial: serial, Published: kept.zone.Published,
		Entries: len(kept.zone.Listings), Faults: kept.faults.brief()}
	if len(kept.faults) > 0 {
		return g, nil
	}
	if s.At == 0 {
		s.At = criteria.At(p.cfg.Now())
	}
	then := backTo(kept.listings, s.Listings, s.Order.Delisted)
	list, _ := Resolve(then, s.Exceptions, p.cfg.Special, s.At)
	g.Difference = Diff(p.List(), list)
	return g, nil
}

// Target gives the serial that a rollback goes to: the one that is named, else the newest one kept
// from before the zone that is published, or, under a rollback, from before that one. An error is
// ErrNoGeneration where that cannot stand again.
func (p *Publisher) Target(o Order, named uint32) (uint32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.load(); err != nil {
		return 0, err
	}
	if named > 0 {
		_, err := p.keptSet(named)
		return named, err
	}
	serials, err := p.generations()
	if err != nil {
		return 0, err
	}
	before := o.serial()
	if now := p.published.Load(); before == 0 && now != nil {
		before = now.serial
	}
	for _, serial := range serials {
		if serial >= before {
			continue
		}
		kept, err := p.keptSet(serial)
		if errors.Is(err, ErrNoGeneration) || err == nil && kept.zone.Header.Retired {
			continue // to list nobody again must be named
		}
		return serial, err
	}
	return 0, fmt.Errorf("a zone from before serial %d %w", before, ErrNoGeneration)
}

// keptSet reads a generation that is to stand again; the last one is remembered.
func (p *Publisher) keptSet(serial uint32) (set, error) {
	if p.kept.found && p.kept.zone.Serial == serial {
		return p.kept, nil
	}
	kept, err := readSet(p.generationOf(serial), p.cfg.Header.Origin)
	switch {
	case err != nil:
		return set{}, err
	case !kept.found:
		return set{}, fmt.Errorf("the zone with serial %d %w", serial, ErrNoGeneration)
	case len(kept.faults) > 0:
		return set{}, fmt.Errorf("the zone with serial %d %w as it was: %w", serial, ErrNoGeneration,
			kept.faults.brief())
	}
	p.kept = kept
	return kept, nil
}

// prune removes generations beyond those kept.
func (p *Publisher) prune(pinned uint32) error {
	all, err := p.generations()
	if err != nil {
		return err
	}
	for len(all) > p.cfg.Keep {
		i := spare(all, pinned)
		if i < 0 {
			return nil
		}
		if err := p.disk.Remove(p.generationOf(all[i])); err != nil {
			return fmt.Errorf("remove old generation: %w", err)
		}
		all = slices.Delete(all, i, i+1)
	}
	return nil
}

// oldest is the age in seconds beyond which a publication is of no use: what it lists has ended.
const oldest = 7 * 24 * 3600

// spare chooses which of two serials and more, newest first, can be done without; -1: none of them.
// The newest two stay. Of the others goes the last one when it is older than a week, else the one
// whose neighbours are closest by the proportion of their ages, so that those kept reach back
// minutes, hours and days: a fault of the list is rarely seen within the minutes that the last
// publications cover. Serials are times.
func spare(serials []uint32, pinned uint32) int {
	last := len(serials) - 1
	age := func(i int) float64 { return float64(serials[0]-serials[i]) + 1 }
	mayGo := func(i int) bool { return serials[i] != pinned }
	if mayGo(last) && (last <= 2 || age(last) > oldest) {
		return last
	}
	chosen := -1
	closest := math.Inf(1)
	for i := 2; i < last; i++ {
		if ratio := age(i+1) / age(i-1); mayGo(i) && ratio < closest {
			chosen, closest = i, ratio
		}
	}
	if chosen < 0 && last > 2 {
		return last // the only other one is pinned
	}
	return chosen
}
