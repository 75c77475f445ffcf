package criteria

import (
	"net/netip"

	"github.com/trapline/trapline/parser"
)

// Recollection is how the score of an address stood at a second that is past.
type Recollection struct {
	Verdict Verdict
	Lacks   Ending  // the first condition of a listing that is not met; Open when listed
	Barred  bool    // the operator delisted it, and keeps it off the list for a while
	OneMore Verdict // with one more hit at that second, at a trap that never caught it
}

// Recall gives the verdict of a second that is past, from the hits below an LSN alone: what is
// told to those who must not see at once whether a hit was counted. It answers for the score;
// what people decided is taken as it stands now. Hits that the engine has dropped since, as too
// old to count, are not in it. It changes nothing.
func (e *Engine) Recall(a netip.Addr, at Second, below uint64) Recollection {
	o := e.outlookOf(a)
	alone := newRoll()
	s := alone.add(o.source.unit)
	for i, n := range o.source.entries {
		if n.lsn() >= below {
			continue
		}
		alone.insert(s, n, o.host(i))
	}
	o.source, o.hosts = s, alone.hosts[s.number]
	r := Recollection{Verdict: o.verdict(at), Barred: at < o.barred}
	if t := o.tallyAt(at, false); !r.Verdict.Listed {
		r.Lacks = o.fails(&t, at)
	}
	trap := memberOf(TrapHit, "a trap that no address can spell")
	trap.weight = uint32(One)
	set := setOf([]member{trap})
	h := Hit{LSN: 1<<48 - 1, Time: at, Cause: parser.Direct}
	alone.insert(s, entryOf(&h, supposed), a)
	o.hosts, o.extra = alone.hosts[s.number], &set
	r.OneMore = o.verdict(at)
	return r
}

// host is the address that an entry came from, as far as it is known.
func (o *outlook) host(entry int) netip.Addr {
	if o.hosts == nil {
		return o.prefix.Addr()
	}
	return o.hosts[entry].addr()
}
