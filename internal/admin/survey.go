package admin

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/store"
)

// Bounds of a survey's memory: strangers choose addresses at trap domains,
// sources and contents.
const (
	mostCandidates = 1 << 12 // addresses that may turn out frequent
	mostSources    = 1 << 20
	mostSightings  = 1 << 22 // of a source at a trap
	mostContents   = 1 << 18 // twice over
	mostTraps      = 1 << 14 // remembered, of addresses
	MostTop        = 1000
)

// TrapStats surveys the hits of all traps: of each [[trap]] as the configuration
// has it, and of the addresses at domains that are hit most. It reads the log
// twice, and changes nothing.
func (d *Desk) TrapStats(ctx context.Context, f TrapFilter) ([]TrapStats, error) {
	if f.Top < 0 || f.Top > MostTop {
		return nil, badRequest(fmt.Sprintf("%d addresses of each domain", f.Top),
			fmt.Sprintf("give 0 to %d", MostTop))
	}
	s := newSurvey(d.roster())
	err := d.Judge.View(func(e *criteria.Engine) {
		policy, _ := e.Policy()
		s.ipv6, s.window = policy.IPv6Prefix, criteria.Second(policy.RepeatWindow.Seconds())
		for _, x := range e.Exceptions() {
			s.except.Insert(x.Network)
		}
	})
	if err != nil {
		return nil, err
	}
	common := newFrequent(mostCandidates)
	if err := d.eachTrapHit(ctx, f.Since, common.addAll); err != nil {
		return nil, err
	}
	s.prepare(d.corrected(), common.words(), f.Top)
	if err := d.eachTrapHit(ctx, f.Since, s.add); err != nil {
		return nil, err
	}
	return s.report(), nil
}

// eachTrapHit reads the hits received at or after an instant.
func (d *Desk) eachTrapHit(
	ctx context.Context, since criteria.Second, f func(*store.Record),
) error {
	first := uint64(1)
	if since > 0 {
		var err error
		if first, err = d.Store.Since(since - clockSkew); err != nil {
			return err
		}
	}
	for r, err := range d.Store.Records(first, d.Store.Mark().LSN) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if r.Kind == criteria.TrapHit && !r.Inbox && r.Time >= since {
			f(&r)
		}
	}
	return nil
}

func (f *frequent) addAll(r *store.Record) {
	for _, to := range r.Recipients {
		if isTrap(to) {
			f.add(to.Address)
		}
	}
}

// isTrap tells a trap from postmaster and abuse.
func isTrap(to store.Recipient) bool { return to.State != "" }

// survey is the figures as they grow.
type survey struct {
	roster   Roster
	ipv6     int
	window   criteria.Second
	except   *bart.Lite
	seed     maphash.Seed
	rows     map[rowKey]*row
	order    []*row              // as reported
	names    map[string]string   // address to the trap that covers it
	sources  map[[16]byte]uint32 // unit to its number, from 1
	seen     []sighting          // by number, less 1
	pairs    map[uint64]struct{} // row and source
	contents [2]map[content]criteria.Second
	partial  bool
	room     []*row // of one hit
}

// rowKey is a trap, and one of its addresses or "" for all.
type rowKey struct{ trap, address string }

type row struct {
	TrapStats
	number uint32 // from 1
	whole  bool   // of a trap, not of one address at a domain
}

// sighting is where a source was seen: the only row, or more than one.
type sighting struct {
	address, trap  uint32
	roams, wanders bool // came to several addresses; to several traps
}

// content is what makes a message the same as another.
type content struct {
	source [16]byte
	digest criteria.Digest
	traps  uint64
}

func newSurvey(r Roster) *survey {
	return &survey{roster: r, rows: map[rowKey]*row{}, sources: map[[16]byte]uint32{},
		pairs: map[uint64]struct{}{}, names: map[string]string{}, except: new(bart.Lite),
		seed: maphash.MakeSeed(), contents: [2]map[content]criteria.Second{{}, {}}}
}

// prepare makes the rows: of every trap, and of those of its addresses that
// decisions speak of or that are hit most.
func (s *survey) prepare(corrected []CorrectedTrap, common []string, top int) {
	shown := map[string][]string{}
	burnt := map[string]bool{}
	for _, c := range corrected {
		name := s.nameOf(c.Address)
		shown[name] = append(shown[name], c.Address)
		burnt[c.Address] = c.Burnt != nil
	}
	for _, address := range common {
		name := s.nameOf(address)
		addresses := shown[name]
		if len(addresses) < top && !slices.Contains(addresses, address) {
			addresses = append(addresses, address)
		}
		shown[name] = addresses
	}
	for _, t := range append(slices.Clone(s.roster.Traps), Trap{}) {
		name := t.Name()
		if _, hit := shown[name]; name == "" && !hit {
			continue
		}
		s.addRow(t, "", burnt[t.Address])
		for _, address := range shown[name] {
			if t.Address == "" {
				s.addRow(t, address, burnt[address])
			}
		}
	}
}

func (s *survey) addRow(t Trap, address string, burnt bool) {
	name := t.Name()
	r := &row{number: uint32(len(s.order) + 1), whole: address == "",
		TrapStats: TrapStats{Kind: t.Kind, State: t.State, Burnt: burnt}}
	if name != "" {
		r.Trap = &name
	}
	if address != "" {
		r.Address = &address
	} else if t.Address != "" {
		r.Address = &t.Address
	}
	s.rows[rowKey{name, address}] = r
	s.order = append(s.order, r)
}

// nameOf gives the trap that covers an address.
func (s *survey) nameOf(address string) string {
	name, ok := s.names[address]
	if !ok {
		_, name = s.roster.Find(address)
		if len(s.names) >= mostTraps {
			clear(s.names)
		}
		s.names[address] = name
	}
	return name
}

func (s *survey) add(r *store.Record) {
	s.room = s.room[:0]
	source := s.sourceOf(r.Source)
	for _, to := range r.Recipients {
		if !isTrap(to) {
			continue
		}
		name := s.nameOf(to.Address)
		whole, one := s.rows[rowKey{name, ""}], s.rows[rowKey{name, to.Address}]
		s.sight(source, whole, one)
		for _, row := range []*row{whole, one} {
			if row != nil && !slices.Contains(s.room, row) {
				s.room = append(s.room, row)
			}
		}
	}
	again, excepted := s.repeats(r), r.Source.IsValid() && s.except.Contains(r.Source)
	for _, row := range s.room {
		row.count(r, again, excepted)
		s.pair(row, source)
	}
}

// listMail is the parser's word for mail of a mailing list.
const listMail = "list"

func (r *row) count(hit *store.Record, again, excepted bool) {
	r.Hits++
	r.LastHit = max(r.LastHit, hit.Time)
	for _, c := range []struct {
		is bool
		n  *int
	}{{again, &r.Repeats}, {hit.Cause.String() == listMail, &r.ListMail}, {excepted, &r.Excepted},
		{!hit.Source.IsValid(), &r.Sourceless}} {
		if c.is {
			*c.n++
		}
	}
}

// sourceOf numbers the listing unit of an address; 0 for none, or too many.
func (s *survey) sourceOf(a netip.Addr) uint32 {
	if !a.IsValid() {
		return 0
	}
	unit := address.Unit(a, s.ipv6).Addr().As16()
	n, known := s.sources[unit]
	switch {
	case known:
	case len(s.sources) >= mostSources:
		s.partial = true
	default:
		n = uint32(len(s.sources) + 1)
		s.sources[unit] = n
		s.seen = append(s.seen, sighting{})
	}
	return n
}

// sight notes where a source came to. Addresses without a row are alike: they
// are other addresses than any with one.
func (s *survey) sight(source uint32, whole, one *row) {
	if source == 0 {
		return
	}
	const elsewhere = 1<<32 - 1
	at := &s.seen[source-1]
	trap, address := uint32(elsewhere), uint32(elsewhere)
	if whole != nil {
		trap = whole.number
	}
	if one != nil {
		address = one.number
	} else if whole != nil && whole.Address != nil {
		address = whole.number
	}
	at.roams = at.roams || at.address != 0 && at.address != address
	at.wanders = at.wanders || at.trap != 0 && at.trap != trap
	at.address, at.trap = address, trap
}

// pair counts a source once for each row.
func (s *survey) pair(r *row, source uint32) {
	key := uint64(r.number)<<32 | uint64(source)
	if _, known := s.pairs[key]; known || source == 0 {
		return
	}
	if len(s.pairs) >= mostSightings {
		s.partial = true
		return
	}
	s.pairs[key] = struct{}{}
	r.Sources++
}

// repeats tells whether the source has sent the same to the same traps within
// the window of repeats, as the criteria have it.
func (s *survey) repeats(r *store.Record) bool {
	if r.Digest == (criteria.Digest{}) || !r.Source.IsValid() || r.Again {
		return false
	}
	c := content{source: address.Unit(r.Source, s.ipv6).Addr().As16(), digest: r.Digest}
	for _, to := range r.Recipients {
		c.traps += maphash.String(s.seed, to.Address)
	}
	for _, known := range s.contents {
		if at, ok := known[c]; ok && r.Time-at < s.window {
			return true
		}
	}
	if len(s.contents[0]) >= mostContents {
		s.partial = s.partial || s.isYoung(r.Time)
		s.contents[0], s.contents[1] = map[content]criteria.Second{}, s.contents[0]
	}
	s.contents[0][c] = r.Time
	return false
}

// isYoung tells whether what is about to be forgotten could still be repeated.
func (s *survey) isYoung(now criteria.Second) bool {
	for _, at := range s.contents[1] {
		if now-at < s.window {
			return true
		}
	}
	return false
}

// report completes the rows.
func (s *survey) report() []TrapStats {
	faithful := map[bool]int{} // sources that came to one trap, to one address
	for _, at := range s.seen {
		if !at.wanders {
			faithful[true]++
		}
		if !at.roams {
			faithful[false]++
		}
		for _, r := range []struct {
			number uint32
			not    bool
		}{{at.address, at.roams}, {at.trap, at.wanders || at.trap == at.address}} {
			if !r.not && r.number > 0 && int(r.number) <= len(s.order) {
				s.order[r.number-1].Only++
			}
		}
	}
	var all []TrapStats
	for _, r := range s.order {
		r.Partial = s.partial
		r.Verdict = r.verdict(len(s.seen)-r.Sources, faithful[r.whole]-r.Only)
		all = append(all, r.TrapStats)
	}
	return all
}
