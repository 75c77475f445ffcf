package web

import (
	"errors"
	"net/http"
	"net/netip"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/notice"
)

// complaint is the page of a form that is to be filled in.
type complaint struct {
	Notice      notice.Notice
	Form        dispute.Form
	Refused     *dispute.RefusedError // nil: not yet
	SelfRemoval bool
	Own         bool // the visitor comes from the address
	Limits      struct{ Statement, Relation, Contact int }
}

func (s *Site) disputeForm(w http.ResponseWriter, r *http.Request) {
	if a, ok := s.address(w, r); ok {
		s.showForm(w, r, dispute.Form{Address: a, Peer: s.client(r)}, nil)
	}
}

// showForm shows the form, with what was filled in and why it was refused.
func (s *Site) showForm(
	w http.ResponseWriter, r *http.Request, f dispute.Form, refused *dispute.RefusedError,
) {
	n, err := s.cfg.Lookup.Look(f.Address)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	c := complaint{Notice: n, Form: f, Refused: refused, SelfRemoval: s.cfg.Settings().SelfRemoval,
		Own: n.Scope.IsValid() && n.Scope.Contains(f.Peer)}
	c.Limits.Statement, c.Limits.Relation = dispute.MostStatement, dispute.MostRelation
	c.Limits.Contact = dispute.MostContact
	status := http.StatusOK
	if refused != nil {
		status = statusOf(refused)
	}
	s.show(w, r, view{page: "complaint", title: "Dispute " + f.Address.String(), status: status,
		secret: true, data: c})
}

// file takes a form.
func (s *Site) file(w http.ResponseWriter, r *http.Request) {
	a, ok := s.address(w, r)
	if !ok {
		return
	}
	if err := r.ParseForm(); err != nil {
		s.tooLong(w, r)
		return
	}
	f := dispute.Form{Address: a, Peer: s.client(r), Claim: dispute.Claim(r.PostForm.Get("claim")),
		Statement: r.PostForm.Get("statement"), Relation: r.PostForm.Get("relation"),
		Contact: r.PostForm.Get("contact")}
	c, err := s.cfg.Disputes.File(r.Context(), f)
	var refused *dispute.RefusedError
	switch {
	case errors.As(err, &refused):
		s.showForm(w, r, f, refused)
	case err != nil:
		s.failed(w, r, err)
	default:
		http.Redirect(w, r, "/dispute/"+c.ID, http.StatusSeeOther)
	}
}

// statusOf is the status of a refusal.
func statusOf(e *dispute.RefusedError) int {
	switch e.Why {
	case dispute.Unknown:
		return http.StatusNotFound
	case dispute.TooMany, dispute.Busy:
		return http.StatusTooManyRequests
	case dispute.AlreadyOpen, dispute.CoolingDown, dispute.Over:
		return http.StatusConflict
	}
	return http.StatusUnprocessableEntity
}

// heard is the page of a dispute.
type heard struct {
	dispute.Public
	Challenge   *dispute.Challenge    // nil: there is nothing to prove any more
	Refused     *dispute.RefusedError // nil: nothing was tried
	Own         bool                  // the visitor comes from the address
	SelfRemoval bool
	Until       criteria.Second // of the listing, in full hours; 0: not known
	Listed      bool
}

func (s *Site) dispute(w http.ResponseWriter, r *http.Request) {
	s.showDispute(w, r, r.PathValue("id"), nil)
}

func (s *Site) showDispute(
	w http.ResponseWriter, r *http.Request, id string, refused *dispute.RefusedError,
) {
	c, ok := s.cfg.Disputes.Find(id)
	if !ok {
		s.fail(w, r, problem{http.StatusNotFound, "No such dispute",
			"There is no dispute of that name.", "One that nobody proves is forgotten after " +
				span(dispute.Patience) + ": it can be filed anew."})
		return
	}
	if wantsJSON(r) {
		twin := s.twin(http.StatusOK, s.public(&c))
		twin.fresh = 0 // for nobody's cache, as the page
		send(w, r, twin)
		return
	}
	n, err := s.cfg.Lookup.Look(c.Address)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	h := heard{Public: s.public(&c), Refused: refused, SelfRemoval: s.cfg.Settings().SelfRemoval,
		Own: s.speaksFor(r, c.Subject), Until: n.Until, Listed: n.State.IsListed()}
	if challenge, ok := s.cfg.Disputes.Challenge(id); ok {
		h.Challenge = &challenge
	}
	status := http.StatusOK
	if refused != nil {
		status = statusOf(refused)
	}
	s.show(w, r, view{page: "dispute", title: "Dispute of " + c.Subject.String(), status: status,
		secret: true, data: h})
}

// public leaves out what an operator wrote without thinking of who reads it.
func (s *Site) public(c *dispute.Case) dispute.Public {
	p := c.Public()
	p.Answer, p.Reason = s.cfg.Clean(p.Answer), s.cfg.Clean(p.Reason)
	return p
}

func (s *Site) speaksFor(r *http.Request, subject criteria.Source) bool {
	client := s.client(r)
	return client != (netip.Addr{}) && subject.Contains(client)
}

// prove looks for a proof, or removes the listing of whoever has one.
func (s *Site) prove(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.tooLong(w, r)
		return
	}
	id := r.PathValue("id")
	var err error
	if r.PostForm.Get("want") == "removal" {
		_, err = s.cfg.Disputes.Remove(r.Context(), id)
	} else {
		_, err = s.cfg.Disputes.Prove(r.Context(), id, s.client(r))
	}
	var refused *dispute.RefusedError
	switch {
	case errors.As(err, &refused):
		s.showDispute(w, r, id, refused)
	case err != nil:
		s.failed(w, r, err)
	default:
		http.Redirect(w, r, "/dispute/"+id, http.StatusSeeOther)
	}
}
