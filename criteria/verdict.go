package criteria

import (
	"fmt"
	"math/big"
	"net/netip"

	"github.com/trapline/trapline/parser"
)

// Verdict is what the rules say of one source at one second, with its sum.
type Verdict struct {
	Source Source `json:"source"`
	At     Second `json:"at"`

	TrapScore   Number `json:"trap_score"`   // weighted trap hits, before factor or square
	ReportScore Number `json:"report_score"` // weighted user reports times report_factor
	Score       Number `json:"score"`
	Reports     int    `json:"reports"`         // counted, of both kinds
	Traps       int    `json:"traps"`           // distinct traps plus distinct reporters among them
	Points      int64  `json:"points,omitzero"` // reputation

	Listed bool   `json:"listed"`
	Until  Second `json:"until"`  // the first second at which it is not, if nothing more comes
	Answer Answer `json:"answer"` // null when not listed
	Why    string `json:"why"`    // the verdict in words
	EndsBy Ending `json:"ends_by"`

	LastHit Second               `json:"-"` // newest counted report
	Causes  map[parser.Cause]int `json:"-"` // of the counted reports
	Terms   []Term               `json:"-"` // the sum, newest first
}

// Term is one counted report's part of the sum.
type Term struct {
	LSN          uint64
	Time         Second
	Age          int64 // seconds
	Kind         Kind
	Cause        parser.Cause
	Weight       Number // w(age)
	Contribution Number // times trap and cause weight
}

// Source is a listing unit. It prints as an address where it is one address,
// else as the network.
type Source struct{ netip.Prefix }

// String gives "198.51.100.7" or "2001:db8::/64".
func (s Source) String() string {
	if s.IsSingleIP() {
		return s.Addr().String()
	}
	return s.Prefix.String()
}

// MarshalText writes String.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads an address or a network.
func (s *Source) UnmarshalText(b []byte) error {
	if a, err := netip.ParseAddr(string(b)); err == nil {
		s.Prefix = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(string(b))
	s.Prefix = p
	return err
}

// verdict puts the source's tally at a second into words and numbers.
func (o *outlook) verdict(at Second) Verdict {
	t := o.tallyAt(at, false)
	v := Verdict{
		Source: Source{o.prefix}, At: at,
		TrapScore: Number{o.amount(t.traps)}, ReportScore: Number{o.reportScore(&t)},
		Score: Number{o.score(&t)}, Reports: t.count, Traps: t.trapIDs + t.reporters, Points: t.points,
		LastHit: t.last, Causes: map[parser.Cause]int{},
	}
	for _, i := range o.count.counted {
		e := &o.source.entries[i]
		v.Causes[e.cause()]++
		v.Terms = append(v.Terms, o.term(e, at))
	}
	v.Why = o.why(&v, &t)
	v.Answer = o.answerAt(at)
	v.Listed = v.Answer != Unlisted
	if v.Listed {
		v.Until = o.end(at, v.Answer)
		end := o.tallyAt(v.Until, false)
		v.EndsBy = o.fails(&end, v.Until)
	}
	return v
}

// end is the first second at which the source is not listed any more: changes
// from one answer to the other are stepped over.
func (o *outlook) end(at Second, answer Answer) Second {
	for answer != Unlisted {
		at = o.nextChange(at, answer)
		answer = o.answerAt(at)
	}
	return at
}

func (o *outlook) term(e *entry, at Second) Term {
	age := uint64(at - Second(e.time))
	weight := big.NewRat(int64(o.freshness(age)), int64(o.window)*int64(One))
	worth := new(big.Rat).SetFrac(new(big.Int).SetUint64(o.worth(o.set(e), e)), big.NewInt(1e12))
	kind := TrapHit
	if e.has(isReport) {
		kind = Report
	}
	return Term{
		LSN: e.lsn(), Time: Second(e.time), Age: int64(age), Kind: kind, Cause: e.cause(),
		Weight: Number{weight}, Contribution: Number{worth.Mul(worth, weight)},
	}
}

// why says in words what decided.
func (o *outlook) why(v *Verdict, t *tally) string {
	for _, x := range o.except {
		if x.Until > v.At && x.Network.Bits() <= v.Source.Bits() {
			return "never listed: " + x.Reason
		}
	}
	if v.At < o.barred {
		return "not listed: delisted by the operator until " + o.barred.String()
	}
	score, reports := v.Score.String(), counted(v.Reports, "report")
	silent := v.At - v.LastHit
	switch o.fails(t, v.At) {
	case Open:
		return fmt.Sprintf("listed: %s >= %s, %s", score, o.Threshold, reports)
	case DelistAfter:
		return fmt.Sprintf("not listed: %s since the last report, limit %s",
			hours(silent), hours(o.after))
	case DelistAfterFew:
		return fmt.Sprintf("not listed: %s since the last of only %s, limit %s",
			hours(silent), reports, hours(o.afterFew))
	case Reports:
		return fmt.Sprintf("not listed: %s, %d needed", reports, o.MinReports)
	case Traps:
		return fmt.Sprintf("not listed: %s from %s, %d needed", reports,
			counted(v.Traps, "distinct trap"), max(o.MinTraps, 2))
	case TrapDomains:
		return fmt.Sprintf("not listed: %s, %d needed", counted(t.domains, "trap domain"),
			o.MinTrapDomains)
	case Threshold:
		return fmt.Sprintf("not listed: %s < %s, %s", score, o.Threshold, reports)
	}
	return fmt.Sprintf("not listed: %s < %s x %d reputation points", score, o.ReputationRatio,
		t.points)
}

func counted(n int, what string) string {
	switch {
	case n == 0:
		return "no " + what + "s"
	case n == 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// hours rounds seconds down to minutes: "13h20m".
func hours(s Second) string { return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60) }
