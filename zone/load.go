package zone

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// load reads once what an earlier process, or a publication that failed, left behind.
func (p *Publisher) load() error {
	if p.loaded {
		return nil
	}
	folder, err := readSet(p.cfg.Dir, p.cfg.Header.Origin)
	if err != nil {
		return err
	}
	generations, err := p.generations()
	if err != nil {
		return err
	}
	kept, err := p.readState()
	if err != nil {
		return err
	}
	p.serial = max(p.serial, kept.Serial, folder.zone.Serial)
	if len(generations) > 0 {
		p.serial = max(p.serial, generations[0])
	}
	p.hold, p.damaged = kept.Hold, nil
	p.files = lookAt(p.cfg.Dir, p.cfg.Header.Origin)
	p.published.Store(nil)
	if len(folder.faults) > 0 {
		err = p.salvage(folder, generations, kept.Before)
	} else if folder.zone.Serial == kept.Serial {
		p.take(folder, kept.Order)
	} else {
		p.take(folder, kept.Before) // a publication has failed after its serial was saved
	}
	p.loaded = err == nil
	return err
}

// salvage takes for published, where the folder is not whole, the newest generation that is, else
// what can be read of the folder; the guard compares with it, and a publication comes in any case.
// The newest generation shares its files with the folder, so an edit in place spoils both. Where
// nothing tells what was published, the next publication is the first.
func (p *Publisher) salvage(folder set, generations []uint32, order uint64) error {
	for _, serial := range generations {
		g, err := readSet(p.generationOf(serial), p.cfg.Header.Origin)
		if err != nil {
			return err
		}
		if len(g.faults) == 0 {
			p.damaged = folder.faults.brief()
			p.take(g, order)
			return nil
		}
	}
	if len(folder.listings) > 0 {
		p.take(folder, order)
	}
	if folder.found || len(folder.listings) > 0 {
		p.damaged = folder.faults.brief()
	}
	return nil
}

// take remembers a set as published, with the order that it carries out. Its ends were rounded up
// to the hour: the guard must not take for unexplained what ends within that hour.
func (p *Publisher) take(s set, order uint64) {
	for i, l := range s.listings {
		if l.Until != criteria.Never {
			s.listings[i].Until = l.Until - hour + 1
		}
	}
	p.published.Store(&publication{s.zone.Header, s.zone.Serial, s.zone.Published, order, s.listings})
}

// readState reads state.json. It may be missing or damaged: the zone has the serial, and the
// guard's hour then begins anew.
func (p *Publisher) readState() (state, error) {
	var s state
	data, err := os.ReadFile(p.state(stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read zone state: %w", err)
	}
	if json.Unmarshal(data, &s) != nil {
		return state{}, nil
	}
	return s, nil
}

// lists tells whether one of sorted listings covers an address.
func lists(sorted []criteria.Listing, a netip.Addr) bool {
	for bits := widestOf(a); bits <= a.BitLen(); bits++ {
		network := netip.PrefixFrom(a, bits).Masked()
		_, found := slices.BinarySearchFunc(sorted, network,
			func(l criteria.Listing, p netip.Prefix) int { return comparePrefix(l.Source, p) })
		if found {
			return true
		}
	}
	return false
}
