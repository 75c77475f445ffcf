package criteria

// upholds tells, of a source that is listed as spam, that its newest hit cannot
// have unlisted it, nor does before the look that is noted. A busy listed source
// then costs no sum at each hit.
//
// Every condition of a listing is met the better the more counts: scores,
// reports, traps and reporters grow, silence and the points that are left
// shrink. So a hit can only harm where it keeps another from counting, at a cap,
// or where it is the first at a trap and lifts the condition on trap domains from
// nothing. Whether bounces count or not: where the rest lists, it lists still.
func (e *Engine) upholds(s *source, n *entry) bool {
	r := e.rules
	return s.answer == Spam && Second(s.due) > e.now && len(s.entries) <= r.MaxCounted &&
		(r.MinTrapDomains < 2 || n.has(isReport)) && !e.crowded(s, n)
}

// crowded tells whether the trap of a source's hit, or its reporter, may be at
// its cap. Where all hits that name it fit below the cap, they all count, and
// the others as they did without it. A hit at several traps is not looked
// into: a sum takes less.
func (e *Engine) crowded(s *source, n *entry) bool {
	members := e.sets.at(n.set).members()
	if len(members) > 1 {
		return true
	}
	room := e.rules.limit(n)
	for i := 0; i < len(s.entries) && room >= 0; i++ {
		if set := s.entries[i].set; set == n.set || e.sets.at(set).names(members[0].id) {
			room--
		}
	}
	return room < 0
}

// stays tells, of a listed source that got one more hit, that its answer is
// still what it was and does not change before the look that is noted. The
// look may then come too early, which costs one more, but a busy listed source
// is not searched again at each hit.
func (o *outlook) stays(now Second) bool {
	s := o.source
	last := Second(s.due) - 1
	return s.answer != Unlisted && last >= now && o.nextRise(now) > last &&
		o.answerAt(last) == s.answer && (s.answer == Spam || o.answerAt(now) == s.answer)
}
