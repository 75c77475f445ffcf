package web

import (
	"net/http"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/notice"
)

func (s *Site) criteria(w http.ResponseWriter, r *http.Request) {
	p, err := s.cfg.Lookup.Policy()
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, view{page: "criteria", title: "How listings come and go", data: rulesOf(p)})
}

// rules are a policy in the words of its page.
type rules struct {
	criteria.Policy
	Keys    []key
	Percent string // reputation_ratio
	Weights []weight
}

// key is a number as the configuration spells it.
type key struct{ Name, Value string }

// weight is a cause that counts other than most.
type weight struct {
	Cause criteria.Cause
	Value criteria.Micro
}

func rulesOf(p criteria.Policy) rules {
	const percent = 100
	all := rules{Policy: p, Percent: (p.ReputationRatio * percent).String()}
	for _, name := range criteria.Keys() {
		value, err := p.Get(name)
		if err != nil {
			continue // it is one of its own keys
		}
		all.Keys = append(all.Keys, key{name, value})
	}
	for _, t := range topics {
		var c criteria.Cause
		if c.UnmarshalText([]byte(t.Name)) != nil {
			continue // it is no cause that a look-up names
		}
		if w, other := p.CauseWeight[c]; other && w != criteria.One {
			all.Weights = append(all.Weights, weight{c, w})
		}
	}
	return all
}

func (s *Site) status(w http.ResponseWriter, r *http.Request) {
	z := s.cfg.Lookup.Zone()
	if wantsJSON(r) {
		s.json(w, r, http.StatusOK, z)
		return
	}
	_, err := s.cfg.Lookup.Policy()
	s.show(w, r, view{page: "status", title: "The zone", data: struct {
		notice.Zone
		Ready bool
		Pull  string
	}{z, err == nil, span(notice.Pull)}})
}

func (s *Site) use(w http.ResponseWriter, r *http.Request) {
	p, err := s.cfg.Lookup.Policy()
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, view{page: "use", title: "Use the list", data: struct {
		notice.Zone
		Networks bool // whole networks may be listed
		Prefix   int
	}{s.cfg.Lookup.Zone(), p.MinListed > 0, p.IPv6Prefix}})
}

func (s *Site) about(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, view{page: "about", title: "About", data: s.cfg.Settings()})
}
