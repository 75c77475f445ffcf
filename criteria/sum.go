package criteria

import (
	"math/big"
	"math/bits"

	"github.com/trapline/trapline/parser"
)

// uint128 adds up products that do not fit 64 bits. Policy.Check keeps every
// sum below 2^127.
type uint128 struct{ hi, lo uint64 }

func (u *uint128) addProduct(a, b uint64) {
	hi, lo := bits.Mul64(a, b)
	var carry uint64
	u.lo, carry = bits.Add64(u.lo, lo, 0)
	u.hi, _ = bits.Add64(u.hi, hi, carry)
}

func (u uint128) big() *big.Int {
	n := new(big.Int).SetUint64(u.hi)
	return n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(u.lo))
}

func (u uint128) float() float64 { return float64(u.hi)*(1<<64) + float64(u.lo) }

// rules is a policy made ready for sums: whole seconds and millionths, and
// the one denominator that all weighted sums of the policy share.
type rules struct {
	Policy
	window, maxAge, repeat uint64 // seconds
	after, afterFew        Second
	causes                 [256]uint64 // weight of every cause, millionths
	unit                   *big.Int    // a weighted sum counts 1/unit
	unitFloat              float64
}

func compile(p Policy) *rules {
	r := &rules{
		Policy: p,
		window: uint64(seconds(p.FreshWindow)),
		maxAge: uint64(seconds(p.MaxAge)),
		repeat: uint64(seconds(p.RepeatWindow)),
		after:  seconds(p.DelistAfter), afterFew: seconds(p.DelistAfterFew),
	}
	for c := range r.causes {
		r.causes[c] = uint64(p.causeWeight(parser.Cause(c)))
	}
	r.unit = new(big.Int).Mul(big.NewInt(int64(r.window)), big.NewInt(1e18))
	r.unitFloat, _ = new(big.Float).SetInt(r.unit).Float64()
	return r
}

// freshness is w(age) in units of 1/(window x 1e6): FreshWeight at age 0,
// falling linearly to 1 at the window.
func (r *rules) freshness(age uint64) uint64 {
	if age >= r.window {
		return uint64(One) * r.window
	}
	return uint64(r.FreshWeight)*r.window - uint64(r.FreshWeight-One)*age
}

// meetsScore decides score >= threshold and score >= ratio x points. Floating
// point answers where its error cannot matter, exact integers elsewhere.
func (r *rules) meetsScore(t *tally) (threshold, ratio bool) {
	const doubt = 1e-9 // far above the error of the dozen operations below
	trap := t.traps.float() / r.unitFloat
	square := float64(r.TrapSquareAt) / 1e6
	score := trap * float64(r.TrapFactor) / 1e6
	if trap >= square {
		score = trap * trap
	}
	score += t.reports.float() / r.unitFloat * float64(r.ReportFactor) / 1e6
	limit, need := float64(r.Threshold)/1e6, float64(r.ReputationRatio)/1e6*float64(t.points)
	if near(trap, square, doubt) || near(score, limit, doubt) || near(score, need, doubt) {
		return r.meetsScoreExactly(t)
	}
	return score >= limit, score >= need
}

func near(a, b, doubt float64) bool {
	d := a - b
	return max(d, -d) <= doubt*max(1, a, b)
}

func (r *rules) meetsScoreExactly(t *tally) (threshold, ratio bool) {
	score := r.score(t)
	need := new(big.Rat).Mul(rat(r.ReputationRatio), new(big.Rat).SetInt64(t.points))
	return score.Cmp(rat(r.Threshold)) >= 0, score.Cmp(need) >= 0
}

// score is (T < TrapSquareAt ? TrapFactor x T : T²) + U.
func (r *rules) score(t *tally) *big.Rat {
	score := r.amount(t.traps)
	if score.Cmp(rat(r.TrapSquareAt)) < 0 {
		score.Mul(score, rat(r.TrapFactor))
	} else {
		score.Mul(score, score)
	}
	return score.Add(score, r.reportScore(t))
}

func (r *rules) reportScore(t *tally) *big.Rat {
	u := r.amount(t.reports)
	return u.Mul(u, rat(r.ReportFactor))
}

func (r *rules) amount(sum uint128) *big.Rat { return new(big.Rat).SetFrac(sum.big(), r.unit) }

func rat(m Micro) *big.Rat { return big.NewRat(int64(m), int64(One)) }
