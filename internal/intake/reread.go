package intake

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// Archive is what was kept of hits, and of who was trusted when.
type Archive interface {
	Records(from, to uint64) iter.Seq2[store.Record, error]
	Evidence(lsn uint64) ([]byte, error)
	Decisions(after, to uint64) []criteria.Decision
}

var _ Archive = (*store.Store)(nil)

// Reread finds the source of a hit again, with today's parser and the trust that was
// in force when it came. It proves nothing (proves is false) where the hit blames
// the peer of our own socket, where the head of its message is not kept, or not whole,
// and where nobody noted yet who was trusted. A source that is not valid is none.
func Reread(a Archive, lsn uint64) (source netip.Addr, proves bool, err error) {
	r, err := recordIn(a, lsn)
	if err != nil || !readFromHeader(r) {
		return source, false, err
	}
	head, err := a.Evidence(lsn)
	if err != nil {
		return source, false, fmt.Errorf("read the evidence of hit %d: %w", lsn, err)
	}
	if len(head) == 0 || len(head) >= headKept {
		return source, false, nil
	}
	for _, trust := range trustsAt(a.Decisions(0, ^uint64(0)), r) {
		t, known := trustFor(trust, r)
		if !known {
			return netip.Addr{}, false, nil
		}
		proves = true
		if source = parser.Parse(head, connectionAgain(r), t).Source; source == r.Source {
			break
		}
	}
	return source, proves, nil
}

func recordIn(a Archive, lsn uint64) (*store.Record, error) {
	for r, err := range a.Records(lsn, lsn) {
		if err != nil {
			return nil, fmt.Errorf("read hit %d: %w", lsn, err)
		}
		return &r, nil
	}
	return nil, nil
}

// readFromHeader tells whether the source of a record is what a header says. Who
// submits a report, or a file, is not its source.
func readFromHeader(r *store.Record) bool {
	return r != nil && r.Source.IsValid() &&
		(r.Kind == criteria.Report || r.Peer.Addr().WithZone("").Unmap() != r.Source)
}

// settling is how long after another trust came into force a message may still have been
// read with the one before: it had not reached the log yet.
const settling criteria.Second = 60

// trustsAt gives the trust that a record was read with: the newest noted before it,
// and one before that where it was still in use. There is none for what came before
// the first. That one is noted by a start, before mail is taken, or follows on no
// trust at all, with which no source is read from a header.
func trustsAt(ledger []criteria.Decision, r *store.Record) []*criteria.Trust {
	var trusts []*criteria.Trust
	for _, d := range slices.Backward(ledger) {
		if d.Act != criteria.ActTrust || d.After >= r.LSN {
			continue
		}
		trusts = append(trusts, d.Trust)
		if r.Stamp-d.At >= settling {
			break
		}
	}
	return trusts
}

// trustFor is the part of a trust that a record is read with: a reporter vouches for
// hosts of its own.
func trustFor(t *criteria.Trust, r *store.Record) (p parser.Trust, known bool) {
	if r.Kind == criteria.Report {
		for _, desk := range t.Reporters {
			if len(r.Recipients) > 0 && r.Recipients[0].Address == desk.Name {
				return deskTrust(desk.Hosts, desk.Relays), true
			}
		}
		return p, false
	}
	p = parser.Trust{Hosts: t.Hosts, Loopback: t.Loopback, LocalSubmission: t.LocalSubmission}
	for _, relay := range t.Relays {
		p.Relays = append(p.Relays, parser.TrustedRelay{Network: relay.Network, By: relay.By})
	}
	return p, true
}

// deskTrust is what a reporter vouches for.
func deskTrust(hosts []string, relays []netip.Prefix) parser.Trust {
	trust := parser.Trust{Hosts: hosts}
	for _, n := range relays {
		trust.Relays = append(trust.Relays, parser.TrustedRelay{Network: n})
	}
	return trust
}

// connectionAgain is what was known beside the message when it was read.
func connectionAgain(r *store.Record) parser.Connection {
	if r.Kind == criteria.Report {
		return parser.Connection{}
	}
	return parser.Connection{Peer: r.Peer.Addr(), Helo: r.Helo, MailFrom: r.MailFrom,
		NullSender: r.MailFrom == ""}
}
