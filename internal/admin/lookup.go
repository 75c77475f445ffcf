package admin

import (
	"fmt"
	"math/big"
	"net/netip"

	"github.com/trapline/trapline/criteria"
)

// Lookup answers for an address.
func (d *Desk) Lookup(a netip.Addr) (Lookup, error) {
	var l Lookup
	err := d.Judge.View(func(e *criteria.Engine) {
		entry := e.Lookup(a)
		rules, policy := e.Policy()
		l = Lookup{Verdict: entry.Verdict, Since: entry.Since, LastHit: entry.LastHit,
			Causes: entry.Causes, Except: entry.Except, Manual: entry.Manual, Policy: policy.Seq,
			Sum: sumOf(rules, entry.Verdict), WhatIf: whatIfOf(e.WhatIf(a))}
	})
	if err != nil {
		return l, err
	}
	if l.Except == nil {
		l.Except = []criteria.Exception{} // a list, also when it is empty
	}
	l.Terms = make([]Term, 0, len(l.Verdict.Terms))
	for _, t := range l.Verdict.Terms {
		l.Terms = append(l.Terms,
			Term{t.LSN, t.Time, t.Age, t.Kind, t.Cause, t.Weight, t.Contribution})
	}
	if d.Published != nil {
		if serial, ok := d.Published(l.Source.Prefix); ok {
			l.Published = &serial
		}
	}
	return l, nil
}

func whatIfOf(p criteria.Prospect) WhatIf {
	prospect := func(v *criteria.Verdict) *Prospect {
		if v == nil {
			return nil
		}
		return &Prospect{v.Score, v.Listed, v.Until, v.Why}
	}
	return WhatIf{*prospect(&p.NewTrap), prospect(p.KnownTrap)}
}

// sumOf says how trap hits and reports make the score, in the words of the
// criteria: "8 x 8 + 0 = 64 (trap score 8 >= 6: squared)".
func sumOf(p criteria.Policy, v criteria.Verdict) string {
	factor, rule := p.TrapFactor.String(), fmt.Sprintf("< %s: times %s", p.TrapSquareAt, p.TrapFactor)
	if v.TrapScore.Rat().Cmp(big.NewRat(int64(p.TrapSquareAt), int64(criteria.One))) >= 0 {
		factor, rule = v.TrapScore.String(), fmt.Sprintf(">= %s: squared", p.TrapSquareAt)
	}
	return fmt.Sprintf("%s x %s + %s = %s (trap score %s %s)", factor, v.TrapScore, v.ReportScore,
		v.Score, v.TrapScore, rule)
}
