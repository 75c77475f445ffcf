package notice

import (
	"math/big"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/internal/redact"
)

// view is all that the engine says of an address, of which a notice tells a part.
type view struct {
	now    criteria.Second // the engine's
	hour   criteria.Second // the last full one
	cut    criteria.Second // the hour up to which hits are known
	before uint64          // first LSN of that hour
	entry  criteria.Entry  // as of now
	then   criteria.Recollection
	policy criteria.Policy
}

// view asks the engine. An hour that the log has just reached is looked up before
// the engine is held, and the engine never steps back, so it is past that hour.
func (o *Office) view(a netip.Addr) (view, error) {
	v := view{}
	err := o.cfg.Judge.View(func(e *criteria.Engine) {
		v.now, v.entry = e.Now(), e.Lookup(a)
	})
	if err != nil {
		return v, err
	}
	v.hour = down(v.now)
	v.cut = v.hour
	if !v.byScore() {
		v.cut = v.hour - quiet
	}
	if v.before, err = o.firstOf(v.cut); err != nil {
		return v, err
	}
	return v, o.cfg.Judge.View(func(e *criteria.Engine) {
		v.then = e.Recall(a, v.hour, v.before)
		v.policy, _ = e.Policy()
	})
}

// byScore says whether its own score lists the address now. The other answers come from
// people, or from neighbours, and are no reason to tell more of its hits.
func (v *view) byScore() bool {
	n := &v.entry
	return n.Listed && n.Answer != criteria.Operator && n.Answer != criteria.Network
}

// state says how the address stands now.
func (v *view) state(a netip.Addr) State {
	n := &v.entry
	switch {
	case address.Special(a):
		return Special
	case len(n.Except) > 0 && slices.ContainsFunc(n.Except, isPublic):
		return Excepted
	case len(n.Except) > 0:
		return Unseen
	case n.Answer == criteria.Operator:
		return Operator
	case n.Answer == criteria.Network:
		return Network
	case n.Listed:
		return Listed
	}
	return Unlisted
}

// isPublic tells the operator's exceptions from those of what is ours: these would be
// a map of our hosts, so nothing is known of them.
func isPublic(x criteria.Exception) bool { return x.Origin != criteria.FromSelf }

// tellEnd says when a listing ends: what people set is told at once. Otherwise the instant
// is that of the hits before the full hour; where these alone do not list, it is not told.
// Nor is that of a network, which moves with each hit of any neighbour.
func (v *view) tellEnd(n *Notice) {
	switch n.State {
	case Operator:
		n.Until, n.EndsBy, n.Endless = up(v.entry.Until), v.entry.EndsBy, v.entry.Until == criteria.Never
	case Network:
		n.EndsBy = v.entry.EndsBy
	case Listed:
		then := &v.then.Verdict
		n.Fresh = !then.Listed
		if then.Listed {
			n.Until, n.EndsBy, n.Endless = up(then.Until), then.EndsBy, then.Until == criteria.Never
		}
	}
}

// reason is the operator's for his own listing.
func (v *view) reason(r *redact.Redactor) string {
	if v.entry.Answer != criteria.Operator || v.entry.Manual == nil {
		return ""
	}
	return r.Words(v.entry.Manual.Reason)
}

// tells says whether there is a sum to tell: of an address that its score does not list,
// only where two traps, or reporters, are in it.
func (v *view) tells(several bool) bool {
	return v.byScore() || several || v.then.Verdict.Traps >= 2
}

// tellSum gives the sum of the full hour, by day and class.
func (v *view) tellSum(n *Notice) {
	then := &v.then.Verdict
	if n.LastHit = down(then.LastHit); n.Causes == nil || then.Reports > 0 {
		n.Causes = then.Causes
	}
	n.Sum = &Sum{Traps: tenths(then.TrapScore.Rat()), Reports: tenths(then.ReportScore.Rat()),
		Score: whole(then.Score.Rat()), Needed: v.needed(), Counted: then.Reports,
		Squared: then.TrapScore.Rat().Cmp(rat(v.policy.TrapSquareAt)) >= 0, Lacks: v.then.Lacks,
		Parts: partsOf(then.Terms)}
	more := &v.then.OneMore
	n.OneMore = &Prospect{Listed: more.Listed, Score: whole(more.Score.Rat()), Until: up(more.Until)}
}

// needed is the score that lists: the threshold, or what wanted mail asks for.
func (v *view) needed() int64 {
	ratio := rat(v.policy.ReputationRatio)
	points := ratio.Mul(ratio, big.NewRat(v.then.Verdict.Points, 1))
	return max(ceiling(rat(v.policy.Threshold)), ceiling(points))
}

// partsOf adds terms up by day and class, newest first.
func partsOf(terms []criteria.Term) []Part {
	type key struct {
		day   criteria.Day
		class Class
	}
	parts, weights := []Part{}, map[key]*big.Rat{}
	counts := map[key]int{}
	for _, t := range terms {
		k := key{criteria.DayOf(t.Time), classOf(t.Kind, t.Cause)}
		if weights[k] == nil {
			weights[k] = new(big.Rat)
			parts = append(parts, Part{Day: k.day, Date: k.day.String(), Class: k.class})
		}
		weights[k].Add(weights[k], t.Contribution.Rat())
		counts[k]++
	}
	for i := range parts {
		k := key{parts[i].Day, parts[i].Class}
		parts[i].Count, parts[i].Weight = counts[k], tenths(weights[k])
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return int(b.Day) - int(a.Day) })
	return parts
}

func classOf(k criteria.Kind, c criteria.Cause) Class {
	switch {
	case k == criteria.Report:
		return Reported
	case isBackscatter(c):
		return Backscatter
	}
	return Spam
}

// isBackscatter goes by the words: the causes are the parser's.
func isBackscatter(c criteria.Cause) bool {
	return c.String() == "bounce" || c.String() == "autoreply"
}

func rat(m criteria.Micro) *big.Rat { return big.NewRat(int64(m), int64(criteria.One)) }

// whole cuts the fraction off.
func whole(r *big.Rat) int64 { return new(big.Int).Quo(r.Num(), r.Denom()).Int64() }

func ceiling(r *big.Rat) int64 {
	n := whole(r)
	if r.Cmp(big.NewRat(n, 1)) > 0 {
		n++
	}
	return n
}

// tenths cuts off after one place.
func tenths(r *big.Rat) float64 {
	return float64(whole(new(big.Rat).Mul(r, big.NewRat(10, 1)))) / 10
}
