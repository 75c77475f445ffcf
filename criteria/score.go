package criteria

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/address"
)

// Score applies a policy to the hits of one source at a second: the one
// implementation of the rules, without an engine around it. The hits must be
// of one listing unit and in the order of their log; points are the source's
// reputation points.
func Score(p Policy, hits []Hit, at Second, points int64) Verdict {
	e := NewEngine(p, Corrections{})
	o := &outlook{rules: e.rules, source: &source{}, sets: e.sets, count: e.count, given: points}
	for _, h := range hits {
		if h.Time > 0 && h.Time <= latest && len(h.Traps) > 0 {
			o.source = e.score(&h)
		}
	}
	o.prefix, o.hosts = e.rules.prefixOf(o.source.unit), e.roll.hosts[o.source.number]
	o.except = exceptSpecial(o.source.unit.addr())
	return o.verdict(at)
}

// score adds a hit to its source, however old.
func (e *Engine) score(h *Hit) *source {
	s := e.sourceOf(e.rules.unitOf(h.Source))
	if n := entryOf(h, e.sets.hold(h, e.past)); !s.repeats(&n, e.rules, e.sets) {
		e.roll.insert(s, n, h.Source)
	}
	return s
}

// ScoreAll applies a policy to hits of any sources, taken in the order of their
// time, and gives a verdict for each, sorted by source. No hits, no verdicts.
func ScoreAll(p Policy, hits []Hit, at Second, points int64) []Verdict {
	byUnit := map[netip.Prefix][]Hit{}
	ordered := slices.Clone(hits)
	slices.SortStableFunc(ordered, func(a, b Hit) int { return int(a.Time - b.Time) })
	for i, h := range ordered {
		h.LSN = uint64(i + 1)
		unit := address.Unit(h.Source, p.IPv6Prefix)
		byUnit[unit] = append(byUnit[unit], h)
	}
	verdicts := make([]Verdict, 0, len(byUnit))
	for _, hits := range byUnit {
		verdicts = append(verdicts, Score(p, hits, at, points))
	}
	slices.SortFunc(verdicts, func(a, b Verdict) int {
		return comparePrefix(a.Source.Prefix, b.Source.Prefix)
	})
	return verdicts
}

// ParseHit reads a hit as one JSON object: time (RFC 3339), source and trap (an
// address, or the reporter's name) are needed; kind is "trap" or "report",
// weight 1, cause unknown, and no digest means unlike any other, where they are
// left out. A digest is hexadecimal or any other text.
func ParseHit(line []byte) (Hit, error) {
	form := struct {
		Time   Second     `json:"time"`
		Source netip.Addr `json:"source"`
		Kind   Kind       `json:"kind"`
		Trap   string     `json:"trap"`
		Weight *Micro     `json:"weight"`
		Cause  Cause      `json:"cause"`
		Digest string     `json:"digest"`
	}{}
	if err := json.Unmarshal(line, &form); err != nil {
		return Hit{}, formError(err)
	}
	h := Hit{Time: form.Time, Stamp: form.Time, Source: address.Unwrap(form.Source), Kind: form.Kind,
		Traps: []string{strings.ToLower(form.Trap)}, Weight: One, Cause: form.Cause}
	if form.Weight != nil {
		h.Weight = *form.Weight
	}
	switch {
	case h.Time <= 0 || h.Time > latest:
		return Hit{}, fmt.Errorf("no time from 1970 to 2106: give it as 2026-11-24T09:00:00Z")
	case !h.Source.IsValid():
		return Hit{}, fmt.Errorf("no source: give an IP address")
	case form.Trap == "":
		return Hit{}, fmt.Errorf("no trap: give the trap's address, or the reporter")
	case h.Weight < 0 || h.Weight > MaxTrapWeight:
		return Hit{}, fmt.Errorf("weight %s: give 0 to %s", h.Weight, MaxTrapWeight)
	}
	h.Digest = digestOf(form.Digest)
	return h, nil
}

// formError says in words of the form, not of its Go type, that JSON is none.
func formError(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return err
	case wrong.Field == "":
		return fmt.Errorf("the line is a JSON %s: give an object with time, source, kind and trap",
			wrong.Value)
	}
	return fmt.Errorf("%s is a JSON %s: give a string", wrong.Field, wrong.Value)
}

func digestOf(text string) Digest {
	if text == "" {
		return Digest{}
	}
	if b, err := hex.DecodeString(text); err == nil && len(b) >= len(Digest{}) {
		return Digest(b[:len(Digest{})])
	}
	sum := sha256.Sum256([]byte(text))
	return Digest(sum[:len(Digest{})])
}
